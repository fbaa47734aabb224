# SPDX-License-Identifier: MIT
"""
What a process keeps in its memory once it has answered: no password, token, link, code or cookie. All that it maps is
searched, which is more than a core would hold.

What stays, because the process works with it: JWT_KEY and the keys made from it (settings, key ring), STATE's secret, and
in the mapped store the seeds of sessions and hashes.
"""
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import unittest

from fastcgi import STDIN, Worker, head, is_sanitized, receive, stream, variables
from harness import BUILD, KEY, PASSWORD, SETTINGS, wait_until
from mailbox import Mailbox

NEW_PASSWORD = "cobalt-heron-nine-ladders"
CLIENT_SECRET = "the-secret-of-the-shop-0123456789"
EMAIL = "bee@example.org"


@unittest.skipIf(is_sanitized(), "AddressSanitizer keeps what was freed")
class Case(unittest.TestCase):
	settings = {}
	longMessage = True

	def setUp(self):
		self.directory = tempfile.mkdtemp(prefix="gbmemory")
		clients = os.path.join(self.directory, "clients")
		with open(clients, "w") as out:
			out.write("shop:" + hashlib.sha256(CLIENT_SECRET.encode()).hexdigest() + "\n")
		self.settings = {"STATE": os.path.join(self.directory, "state"), "API_CLIENTS_FILE": clients, **type(self).settings}
		self.workers = []
		os.mkdir(self.settings["STATE"], 0o700)
		environment = {"PATH": os.environ["PATH"], "FRONTEND_URL": "http://127.0.0.1:8080", **SETTINGS, **self.settings}
		subprocess.run([os.path.join(BUILD, "bin", "guardbee"), "user", "add", EMAIL], env=environment, input=PASSWORD + "\n", text=True, check=True,
		    capture_output=True)

	def tearDown(self):
		faults = [fault for worker in self.workers for fault in worker.stop()]
		shutil.rmtree(self.directory)
		self.assertEqual(faults, [])

	def start(self, name):
		self.workers.append(Worker(name, self.settings))
		return self.workers[-1]

	def keeps_none(self, worker, **secrets):
		"""A token is looked for whole, and its payload and signature alone."""
		for name, secret in secrets.items():
			parts = secret.split(".")[1:] if secret.count(".") == 2 else []
			for text in (secret, *parts):
				self.assertTrue(wait_until(lambda: not worker.holds(text.encode()), 5), f"{name} stays in memory")

	def sign_in(self, worker, password=PASSWORD, **more):
		answer = worker.post(json.dumps({"email": EMAIL, "password": password}).encode(), **more)
		self.assertEqual(answer.status, 200, answer.body)
		return answer


class Memory(Case):
	def test_a_secret_on_its_way_is_found(self):
		"""The control: the same token in the same process, before the request is whole and after its answer."""
		token = json.loads(self.sign_in(self.start("login")).body)["access_token"]
		worker = self.start("logout")
		given = variables("POST", b"{}  ", HTTP_AUTHORIZATION="Bearer " + token)
		with worker.connect() as wire:
			wire.sendall(head(given))
			self.assertTrue(wait_until(lambda: worker.holds(token.encode())))
			wire.sendall(stream(STDIN, b"{}  "))
			receive(wire)
		self.keeps_none(worker, token=token)
		self.assertTrue(worker.holds(KEY.encode()), "the key, which may stay, is not found either")

	def test_sign_in(self):
		worker = self.start("login")
		for _ in range(3):
			body = json.loads(self.sign_in(worker).body)
			wrong = PASSWORD + "-but-wrong"
			self.assertEqual(worker.post(json.dumps({"email": EMAIL, "password": wrong}).encode()).status, 401)
			self.keeps_none(worker, password=PASSWORD, access=body["access_token"], refresh=body["refresh_token"])

	def test_register(self):
		worker = self.start("register")
		answer = worker.post(json.dumps({"email": "wasp@example.org", "password": NEW_PASSWORD}).encode())
		self.assertEqual(answer.status, 201)
		body = json.loads(answer.body)
		self.keeps_none(worker, password=NEW_PASSWORD, access=body["access_token"], refresh=body["refresh_token"])

	def test_refresh_and_the_doors_of_access_tokens(self):
		tokens = json.loads(self.sign_in(self.start("login")).body)
		for name in ("me", "verify"):
			worker = self.start(name)
			self.assertIn(worker.ask(variables("GET", HTTP_AUTHORIZATION="Bearer " + tokens["access_token"])).status, (200, 204))
			self.keeps_none(worker, access=tokens["access_token"])
		worker = self.start("refresh")
		again = json.loads(worker.post(json.dumps({"refresh_token": tokens["refresh_token"]}).encode()).body)
		self.keeps_none(worker, presented=tokens["refresh_token"], access=again["access_token"], refresh=again["refresh_token"])
		worker = self.start("logout")
		self.assertEqual(worker.post(json.dumps({"refresh_token": again["refresh_token"]}).encode()).status, 204)
		self.keeps_none(worker, refresh=again["refresh_token"])

	def test_introspect(self):
		token = json.loads(self.sign_in(self.start("login")).body)["access_token"]
		basic = subprocess.run(["base64", "-w0"], input=f"shop:{CLIENT_SECRET}", text=True, capture_output=True, check=True).stdout
		worker, body = self.start("introspect"), b"token=" + token.encode()
		answer = worker.ask(variables("POST", body, CONTENT_TYPE="application/x-www-form-urlencoded", HTTP_AUTHORIZATION="Basic " + basic), body)
		self.assertTrue(json.loads(answer.body)["active"])
		self.keeps_none(worker, token=token, secret=CLIENT_SECRET, basic=basic)

	def test_change_of_password(self):
		token = json.loads(self.sign_in(self.start("login")).body)["access_token"]
		worker = self.start("change-password")
		body = json.dumps({"current_password": PASSWORD, "new_password": NEW_PASSWORD}).encode()
		self.assertEqual(worker.post(body, HTTP_AUTHORIZATION="Bearer " + token).status, 204)
		self.keeps_none(worker, token=token, old=PASSWORD, new=NEW_PASSWORD)

	def reset(self, given_of):
		"""A forgotten password, and a new one by what the mail holds."""
		forgot = self.start("forgot-password")
		self.assertEqual(forgot.post(json.dumps({"email": EMAIL}).encode()).status, 200)
		mail = Mailbox(self.settings["STATE"]).to(EMAIL)
		self.keeps_none(forgot, link=mail.token, code=mail.code)
		page = self.start("reset-password")
		self.assertEqual(page.ask(variables("GET", QUERY_STRING="token=" + mail.token, SCRIPT_NAME="/auth/reset-password")).status, 200)
		self.keeps_none(page, link=mail.token)
		answer = page.post(json.dumps({**given_of(mail), "new_password": NEW_PASSWORD}).encode())
		self.assertEqual(answer.status, 200, answer.body)
		self.keeps_none(page, link=mail.token, code=mail.code, password=NEW_PASSWORD)

	def test_reset_by_link(self):
		self.reset(lambda mail: {"token": mail.token})

	def test_reset_by_code(self):
		self.reset(lambda mail: {"email": EMAIL, "code": mail.code})


class Cookies(Case):
	settings = {"COOKIE_MODE": "on"}

	def test_cookies(self):
		login = self.start("login")
		answer = self.sign_in(login, HTTP_SEC_FETCH_SITE="same-origin")
		jar = dict(value.split(";", 1)[0].split("=", 1) for name, value in answer.headers if name == "set-cookie")
		gate, refresh = jar["__Host-gb_gate"], jar["__Secure-gb_refresh"]
		secrets = {"gate": gate, "secret": gate.split(".")[1], "refresh": refresh, "csrf": jar["__Host-gb_csrf"]}
		self.keeps_none(login, **secrets)
		cookies = "; ".join(f"{name}={value}" for name, value in jar.items())
		for name, method, status in (("me", "GET", 200), ("refresh", "POST", 200)):
			worker = self.start(name)
			answer = worker.ask(variables(method, HTTP_COOKIE=cookies, HTTP_SEC_FETCH_SITE="same-origin", HTTP_X_CSRF_TOKEN=jar["__Host-gb_csrf"]))
			self.assertEqual(answer.status, status, answer.body)
			self.keeps_none(worker, **secrets)


if __name__ == "__main__":
	unittest.main()
