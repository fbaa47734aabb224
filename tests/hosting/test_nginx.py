# SPDX-License-Identifier: MIT
"""nginx and etc/spawn, from etc/nginx."""
import unittest

from hosts import Nginx
from matrix import Endpoints, FailsClosed, Gate, HostCase, UnderLoad


class Served(HostCase, Endpoints, Gate):
	host, has_cgi = Nginx, False
	refuses_methods = {"TRACE": 405}


class Broken(FailsClosed, HostCase):
	host = Nginx


class Loaded(HostCase, UnderLoad):
	host = Nginx


if __name__ == "__main__":
	unittest.main()
