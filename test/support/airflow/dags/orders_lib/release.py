"""What orders.py loads."""

RELEASE = "000"
