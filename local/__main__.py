"""Entry point of `python -m local`."""

from local.cli.main import main

if __name__ == "__main__":
    main()
