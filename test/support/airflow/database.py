"""Asks Airflow's database. A request is a line of JSON, {"sql": …, "parameters": […]}; so is each answer, {"rows": …} or
{"error": …}. Each statement is a transaction of its own, so that Airflow is never kept from writing for long."""

import json
import sqlite3
import sys

connection = sqlite3.connect(sys.argv[1], timeout=30, isolation_level=None)
connection.row_factory = sqlite3.Row
for line in sys.stdin:
    request = json.loads(line)
    try:
        if "script" in request:
            connection.executescript(request["script"])
            answer = {"rows": []}
        else:
            found = connection.execute(request["sql"], request.get("parameters", []))
            answer = {"rows": [dict(row) for row in found]}
    except sqlite3.Error as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
