"""Stands where a shell would: gives a program the terminal, waits for it, tells how it ended and left the terminal.

Arguments: the descriptor to report to, the program, its arguments. Reports two lines: the program's process id; its
exit code (negative: the signal) and 1 when the terminal's settings are what they were, else 0.
"""

import fcntl
import os
import signal
import sys
import termios

KEPT = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)
"""Signals that the terminal sends to all of us, and that a shell survives."""


def main() -> None:
    report = int(sys.argv[1])
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    before = termios.tcgetattr(0)
    for number in KEPT:
        signal.signal(number, signal.SIG_IGN)
    pid = os.fork()
    if pid == 0:
        for number in KEPT:
            signal.signal(number, signal.SIG_DFL)
        os.close(report)
        os.execv(sys.argv[2], sys.argv[2:])
    os.write(report, b"%d\n" % pid)
    _, status = os.waitpid(pid, 0)
    try:
        is_restored = termios.tcgetattr(0) == before
    except termios.error:  # the terminal is gone
        is_restored = False
    os.write(report, b"%d %d\n" % (os.waitstatus_to_exitcode(status), is_restored))


if __name__ == "__main__":
    main()
