# SPDX-License-Identifier: MIT
"""STATE, a store or a key ring below the folder that the web server shows to everyone: nothing is served, and the log says why."""
import os
import subprocess

from harness import BUILD, Case, executable, main

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

	def test_a_ring_and_a_store_are_looked_for_too(self):
		site = os.path.join(self.server.directory, "site")
		ring, store = os.path.join(site, "ring"), os.path.join(site, "store")
		for path in (ring, store):
			os.mkdir(path, 0o700)
		subprocess.run([os.path.join(BUILD, "bin", "guardbee"), "key", "new"], env={**self.server.environment(), "JWT_KEYS_DIR": ring}, check=True,
		    capture_output=True, timeout=30)
		for name, value, path in (("JWT_KEYS_DIR", ring, ring), ("DATABASE_URL", "gdbm:" + store, store)):
			with self.subTest(name):
				answer = self.run_as_cgi(DOCUMENT_ROOT=site, **{name: value})
				self.assertIn("Status: 503", answer.stdout)
				self.assertIn(f"{name}: {path} is below DOCUMENT_ROOT {site}: move it out of the web space\n", answer.stderr)
				answer = self.run_as_cgi(DOCUMENT_ROOT=os.path.join(site, "elsewhere"), **{name: value})
				self.assertIn("Status: 200", answer.stdout, answer.stderr)
				for command, code in ((site, 78), (os.path.join(site, "elsewhere"), 0)):
					done = subprocess.run([os.path.join(BUILD, "bin", "guardbee"), "config", "check"], capture_output=True, text=True, timeout=30,
					    env={**self.server.environment(), "DOCUMENT_ROOT": command, name: value})
					self.assertEqual((done.returncode, f"{name}: {path} is below" in done.stderr), (code, code != 0), done.stderr)


if __name__ == "__main__":
	main()
