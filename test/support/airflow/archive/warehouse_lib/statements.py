LOAD = "copy warehouse.facts from 's3://acme-raw/facts/{{ ds }}/'"
VACUUM = "vacuum warehouse.facts"
