# SPDX-License-Identifier: MIT
"""Apache, mod_proxy_fcgi and etc/spawn, from etc/apache."""
import unittest

from hosts import ApacheProxyFcgi
from matrix import Endpoints, FailsClosed, Gate, HostCase, UnderLoad


class Served(HostCase, Endpoints, Gate):
	host, group_refusal = ApacheProxyFcgi, 401
	refuses_methods = {"TRACE": 405}


class Broken(FailsClosed, HostCase):
	host = ApacheProxyFcgi


class Loaded(HostCase, UnderLoad):
	host = ApacheProxyFcgi


if __name__ == "__main__":
	unittest.main()
