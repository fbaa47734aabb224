# SPDX-License-Identifier: MIT
"""lighttpd, from etc/lighttpd: the programs as FastCGI and as plain CGI; the gate is FastCGI in both."""
import unittest

from hosts import Lighttpd
from matrix import Endpoints, FailsClosed, Gate, HostCase, UnderLoad


class LighttpdCase(HostCase):
	host, leads_browsers = Lighttpd, True
	answers_405, refuses_methods = ("PATCH", "TRACE"), {"FOO": 501}


class Served(LighttpdCase, Endpoints, Gate):
	pass


class ServedAsCgi(LighttpdCase, Endpoints, Gate):
	options = {"mode": "cgi"}


class Broken(FailsClosed, LighttpdCase):
	pass


class Loaded(LighttpdCase, UnderLoad):
	pass


class LoadedAsCgi(LighttpdCase, UnderLoad):
	options = {"mode": "cgi"}


if __name__ == "__main__":
	unittest.main()
