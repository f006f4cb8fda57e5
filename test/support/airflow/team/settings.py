"""What the DAGs of one team share."""

TEAM = "TEAM_NAME"
SOURCE = f"s3://acme-raw/{TEAM}/"
TARGET = f"mart.{TEAM}"
