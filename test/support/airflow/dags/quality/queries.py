"""Counts that must be zero, by table."""

from common.paths import CUSTOMERS, DAILY_SALES, ORDERS

MUST_BE_ZERO = {
    ORDERS: "select count(*) from {table} where total_cents < 0",
    DAILY_SALES: "select count(*) from {table} where gross is null",
    CUSTOMERS: "select count(*) - count(distinct customer_id) from {table}",
}
