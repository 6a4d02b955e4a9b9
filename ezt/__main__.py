"""The command ``ezt``. Its imports take seconds, in which Ctrl-C has to be answered as it is later."""

from ezt.interruptions import answer_signals


def main() -> None:
    """Run the command line."""
    answer_signals()
    from ezt import commands

    commands.main()


if __name__ == "__main__":
    main()
