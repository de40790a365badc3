"""`python -m agent` is `watchkeeper`."""

from agent.cli import main

if __name__ == "__main__":
    main()
