# SPDX-License-Identifier: MIT
"""Apache and mod_cgid, from etc/apache."""
import unittest

from hosts import ApacheCgi, ApacheCgid
from matrix import Endpoints, FailsClosed, Gate, HostCase, Htaccess, IS_LONG, UnderLoad


class Served(HostCase, Endpoints, Gate, Htaccess):
	host, group_refusal = ApacheCgid, 401
	refuses_methods = {"TRACE": 405}


class Broken(FailsClosed, HostCase):
	host = ApacheCgid


class Loaded(HostCase, UnderLoad):
	host, restart_may_cost, pause = ApacheCgid, True, 10 if IS_LONG else 0.2


@unittest.skipUnless(IS_LONG, "make hosting")
class LoadedWithoutDaemon(HostCase, UnderLoad):
	host, pause = ApacheCgi, 10


if __name__ == "__main__":
	unittest.main()
