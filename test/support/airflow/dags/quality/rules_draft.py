"""Hidden by a pattern of .airflowignore: no DAG of Airflow yet."""

from airflow.sdk import a_name_that_is_not_there
