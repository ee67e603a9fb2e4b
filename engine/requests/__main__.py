"""`python -m engine.requests`: write the table to the file that all others read."""

from engine.operation_table import TABLE_FILE
from engine.requests.schema import written


def main() -> None:
    TABLE_FILE.parent.mkdir(exist_ok=True)
    TABLE_FILE.write_text(written(), encoding="utf-8", newline="\n")
    print(TABLE_FILE)


if __name__ == "__main__":
    main()
