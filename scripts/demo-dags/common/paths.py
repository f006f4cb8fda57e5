"""Names of buckets and tables, in one place."""

RAW_EVENTS = "s3://acme-raw/events/{{ ds }}/{{ logical_date.strftime('%H%M') }}/"
FEATURES = "s3://acme-ml/features/churn/{{ ds }}/"
MODELS = "s3://acme-ml/models/churn/"

ORDERS = "staging.orders"
DAILY_SALES = "mart.daily_sales"
CUSTOMERS = "warehouse.customers"
