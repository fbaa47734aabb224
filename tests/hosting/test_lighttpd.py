# SPDX-License-Identifier: MIT
"""lighttpd, from etc/lighttpd: the programs as FastCGI and as plain CGI; the gate is FastCGI in both."""
import unittest

from hosts import Lighttpd
from matrix import Endpoints, FailsClosed, Gate, HostCase, UnderLoad


class LighttpdCase(HostCase):
	host, leads_browsers = Lighttpd, True
	answers_405, refuses_methods = ("PATCH", "TRACE"), {"FOO": 501}

	def learnt_by_headers(self, headers, expected):
		"""mod_proxy passes the name on in Forwarded, and nothing else."""
		self.assertEqual([pair for pair in headers if pair[0].startswith("x-auth-")], [])
		forwarded = [value for name, value in headers if name == "forwarded"]
		self.assertEqual(len(forwarded), 1)
		self.assertIn('remote_user="%s"' % expected["REMOTE_USER"], forwarded[0])


class Served(LighttpdCase, Endpoints, Gate):
	pass


class ServedAsCgi(LighttpdCase, Endpoints, Gate):
	options = {"mode": "cgi"}


class Broken(LighttpdCase, FailsClosed):
	pass


class Loaded(LighttpdCase, UnderLoad):
	pass


class LoadedAsCgi(LighttpdCase, UnderLoad):
	options = {"mode": "cgi"}


if __name__ == "__main__":
	unittest.main()
