# SPDX-License-Identifier: MIT
"""STATE below the folder that the web server shows to everyone: nothing is served, and the log says why."""
import os
import subprocess

from harness import Case, executable, main

ROOT = '$HTTP["url"] =~ "^/auth/" { server.document-root = "%s" }'


class Below(Case):
	options = {"extra": ROOT % "{d}"}

	def test_nothing_is_served(self):
		self.refused(self.post("/auth/register", {"email": self.email(), "password": "walnut-harbour-seven-lanterns"}), 503, "internal")
		self.refused(self.get("/auth/verify"), 503, "internal")
		self.refused(self.get("/auth/health"), 503, "internal")
		self.assertIn(f"STATE: {self.server.state} is below DOCUMENT_ROOT {self.server.directory}: move it", self.server.logs())


class Beside(Case):
	options = {"extra": ROOT % "{d}/site"}

	@classmethod
	def prepare(cls):
		os.mkdir(os.path.join(cls.server.directory, "site"))

	def test_all_is_served(self):
		self.register()
		self.assertEqual(self.get("/auth/verify").status, 401)
		self.assertEqual(self.get("/auth/health").status, 200)
		self.assertNotIn("STATE:", self.server.logs())

	def run_as_cgi(self, **variables):
		request = {"GATEWAY_INTERFACE": "CGI/1.1", "REQUEST_METHOD": "GET", "SCRIPT_NAME": "/auth/health", **variables}
		return subprocess.run([executable("health")], env={**self.server.environment(), **request}, stdin=subprocess.DEVNULL,
		    capture_output=True, text=True, timeout=60)

	def test_plain_cgi_looks_too(self):
		"""lighttpd's mod_cgi shows the programs another root, so they are started here as Apache does."""
		for name in ("DOCUMENT_ROOT", "CONTEXT_DOCUMENT_ROOT"):
			with self.subTest(name=name):
				answer = self.run_as_cgi(**{name: self.server.directory})
				self.assertIn("Status: 503", answer.stdout)
				self.assertIn(f"is below {name} {self.server.directory}: move it", answer.stderr)
				answer = self.run_as_cgi(**{name: os.path.join(self.server.directory, "site")})
				self.assertIn("Status: 200", answer.stdout)


if __name__ == "__main__":
	main()
