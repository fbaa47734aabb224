# SPDX-License-Identifier: MIT
"""verify is two programs of one name: in plain CGI one that loads nothing answers for HMAC keys, its full sister for pairs."""
import json
import os
import shutil
import subprocess
import tempfile
import unittest

from fastcgi import Worker, is_sanitized
from harness import BUILD, KEY, PASSWORD, SETTINGS, executable, wait_until

EMAIL = "bee@example.org"
FULL = os.path.join(BUILD, "cgi-bin", "full", "verify.fcgi")


@unittest.skipIf(is_sanitized(), "a sanitizer needs a loader: there verify is one program")
class Full(unittest.TestCase):
	def setUp(self):
		self.directory = tempfile.mkdtemp(prefix="gb")
		self.addCleanup(shutil.rmtree, self.directory)
		self.lone = shutil.copy(executable("verify"), self.directory)

	def settings(self, algorithm):
		"""Each algorithm with a STATE of its own, where a pair is made and kept. SETTINGS holds JWT_KEY."""
		state = os.path.join(self.directory, algorithm)
		os.makedirs(state, 0o700, exist_ok=True)
		return {**SETTINGS, "STATE": state, "ALGORITHM": algorithm, "JWT_KEY": KEY if algorithm == "HS256" else ""}

	def run_cgi(self, program, settings, body="", **variables):
		request = {"REQUEST_METHOD": "POST" if body else "GET", "REMOTE_ADDR": "127.0.0.1", "CONTENT_LENGTH": str(len(body)), **variables}
		done = subprocess.run([program], input=body, capture_output=True, text=True, timeout=30, env={**settings, **request})
		status, _, rest = done.stdout.partition("\n\n")
		return int(status.split()[1]), rest

	def token(self, settings):
		subprocess.run([os.path.join(BUILD, "bin", "guardbee"), "user", "add", EMAIL], env=settings, input=PASSWORD + "\n", text=True, check=True,
		    capture_output=True)
		status, body = self.run_cgi(executable("login"), settings, json.dumps({"email": EMAIL, "password": PASSWORD}), CONTENT_TYPE="application/json")
		self.assertEqual(status, 200, body)
		return json.loads(body)["access_token"]

	def verify(self, settings, token, program=None):
		return self.run_cgi(program or executable("verify"), settings, HTTP_AUTHORIZATION="Bearer " + token)[0]

	def test_every_kind_of_key_is_served_and_a_foreign_token_is_not(self):
		tokens = {algorithm: self.token(self.settings(algorithm)) for algorithm in ("HS256", "RS256", "ES256", "EdDSA")}
		for algorithm, good in tokens.items():
			for other, token in tokens.items():
				with self.subTest(algorithm, other=other):
					self.assertEqual(self.verify(self.settings(algorithm), token), 204 if token == good else 401)

	def test_alone_it_takes_hmac_keys_and_fails_for_a_pair(self):
		for algorithm, status in (("HS256", 204), ("ES256", 503)):
			settings = self.settings(algorithm)
			token = self.token(settings)
			self.assertEqual(self.verify(settings, token), 204)
			self.assertEqual(self.verify(settings, token, self.lone), status)

	def test_a_ring_is_for_the_full_one(self):
		settings = self.settings("HS256")
		ring = {**settings, "JWT_KEYS_DIR": os.path.join(self.directory, "ring"), "ALGORITHM": "ES256", "JWT_KEY": ""}
		os.mkdir(ring["JWT_KEYS_DIR"], 0o700)
		subprocess.run([os.path.join(BUILD, "bin", "guardbee"), "key", "new"], env=ring, check=True, capture_output=True)
		del ring["ALGORITHM"]
		self.assertEqual(self.verify(ring, self.token({**ring, "ALGORITHM": "ES256"})), 204)

	def test_fastcgi_is_served_by_the_full_one(self):
		worker = Worker("verify", self.settings("HS256"))
		try:
			self.assertTrue(wait_until(lambda: os.readlink(f"/proc/{worker.process.pid}/exe") == os.path.realpath(FULL)))
		finally:
			self.assertEqual(worker.stop(), [])

	def test_only_the_full_one_has_a_loader(self):
		for program, loads in ((executable("verify"), False), (FULL, True)):
			headers = subprocess.run(["readelf", "-lW", program], capture_output=True, text=True, check=True).stdout
			self.assertEqual("INTERP" in headers, loads, program)
			self.assertIn("GNU_RELRO", headers)


if __name__ == "__main__":
	unittest.main()
