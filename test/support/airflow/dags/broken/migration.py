"""Hidden by .airflowignore: were it parsed, this would be an import error of an Airflow DAG."""

raise RuntimeError(".airflowignore has not hidden broken/migration.py")
