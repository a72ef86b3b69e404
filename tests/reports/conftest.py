"""The program within this process, as the tests of the command line run it."""

from tests.cli.conftest import quickly as quickly
