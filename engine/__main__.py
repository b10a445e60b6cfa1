"""`python -m engine` is the command `skill`, for machines where the program itself stands on no path."""

from engine.frontends.cli import main

if __name__ == "__main__":
    main()
