"""A command that is told to end tidies up first."""

import subprocess
import sys

WAITING = """
import time
from concord import cli

def wait():
    try:
        print("waiting", flush=True)
        time.sleep(60)
    finally:
        print("tidied", flush=True)

cli.app = wait
cli.main()
"""


def test_a_terminated_command_tidies_up_and_says_so_by_its_exit_code() -> None:
    with subprocess.Popen([sys.executable, "-c", WAITING], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "waiting\n"
        process.terminate()
        assert process.stdout.read() == "tidied\n"
        assert process.wait() == 143
