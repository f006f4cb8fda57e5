"""Prints the first line of a file: first-line.py FILE."""
import sys

with open(sys.argv[1]) as file:
    print(file.readline(), end="")
