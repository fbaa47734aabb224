# SPDX-License-Identifier: MIT
"""Apache and mod_fcgid, from etc/apache."""
import unittest

from hosts import ApacheFcgid
from matrix import Endpoints, FailsClosed, Gate, HostCase, Htaccess, UnderLoad


class Served(HostCase, Endpoints, Gate, Htaccess):
	host, group_refusal = ApacheFcgid, 401
	refuses_methods = {"TRACE": 405}


class Broken(FailsClosed, HostCase):
	host = ApacheFcgid


class Loaded(HostCase, UnderLoad):
	host, replaces_at_once, starts_on_demand = ApacheFcgid, False, True
	pause = 1.5		# mod_fcgid starts nothing for a while where processes end too often (FcgidSpawnScoreUpLimit)


if __name__ == "__main__":
	unittest.main()
