# SPDX-License-Identifier: MIT
"""Apache and mod_fcgid, from etc/apache."""
import unittest

from hosts import ApacheFcgid, PAGE
from matrix import Endpoints, FailsClosed, Gate, HostCase, UnderLoad


class Served(HostCase, Endpoints, Gate):
	host, group_refusal = ApacheFcgid, 401
	refuses_methods = {"TRACE": 405}

	def test_authorization_arrives_in_its_redirected_form(self):
		body = self.register()
		answer = self.expect(self.get("/rewritten/me", bearer=body["access_token"]), 200)
		self.assertEqual(answer.json()["id"], body["user"]["id"])
		self.refused(self.get("/rewritten/me"), 401, "token_missing")

	def test_a_folder_closed_by_its_own_htaccess(self):
		_, token = self.member()
		for name, text in ((".htaccess", self.server.adapt("apache/members.htaccess")), ("page.html", PAGE)):
			self.server.write("site/closed/" + name, text)
		self.assertEqual((self.page("/closed/page.html").status, self.page("/closed/page.html", bearer="x").status,
		    self.page("/closed/page.html", bearer=token).status, self.page("/closed/.htaccess", bearer=token).status), (401, 401, 200, 403))


class Broken(HostCase, FailsClosed):
	host = ApacheFcgid


class Loaded(HostCase, UnderLoad):
	host, replaces_at_once, restart_may_cost = ApacheFcgid, False, True
	pause = 1.5		# mod_fcgid starts nothing for a while where processes end too often (FcgidSpawnScoreUpLimit)


if __name__ == "__main__":
	unittest.main()
