# SPDX-License-Identifier: MIT
"""
What a process keeps in its memory once it has answered: no password, token, link, code or cookie. All that it maps is
searched, and in the end a core of each process, which has its registers besides, for all that any of them had.

What stays, because the process works with it: JWT_KEY and the keys made from it (settings, key ring), STATE's secret, and
in the mapped store the seeds of sessions and hashes.
"""
import email
import email.policy
import glob
import hashlib
import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import tempfile
import threading
import unittest

from fastcgi import STDIN, Worker, core_of, head, is_sanitized, read, receive, stream, variables
from harness import BUILD, KEY, PASSWORD, SETTINGS, executable, executables, wait_until
from mailbox import Mailbox
from smtp import Smtp, make_certificates

NEW_PASSWORD = "cobalt-heron-nine-ladders"
CLIENT_SECRET = "the-secret-of-the-shop-0123456789"
EMAIL, OTHER = "bee@example.org", "moth@example.org"


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
		self.workers, self.secrets = [], {}
		os.mkdir(self.settings["STATE"], 0o700)
		for address in (EMAIL, OTHER):
			self.add_user(address)

	def environment(self):
		return {"PATH": os.environ["PATH"], "FRONTEND_URL": "http://127.0.0.1:8080", **SETTINGS, **self.settings}

	def add_user(self, address):
		subprocess.run([os.path.join(BUILD, "bin", "guardbee"), "user", "add", address], env=self.environment(), input=PASSWORD + "\n", text=True, check=True,
		    capture_output=True)

	def tearDown(self):
		found = [held for worker in self.workers if worker.process.poll() is None for held in self.held_by(worker.core())]
		faults = [fault for worker in self.workers for fault in worker.stop()]
		shutil.rmtree(self.directory)
		self.assertEqual(faults + found, [])

	def held_by(self, core):
		"""The key, which must be there, shows that a core has what the process had."""
		return ([] if KEY.encode() in core else ["a core without the key"]) + [
		    f"a core holds {name}" for text, name in self.secrets.items() if text.encode() in core]

	def start(self, name):
		self.workers.append(Worker(name, self.settings))
		return self.workers[-1]

	def keeps_none(self, worker, **secrets):
		"""A token is looked for whole, and its payload and signature alone."""
		for name, secret in secrets.items():
			parts = secret.split(".")[1:] if secret.count(".") == 2 else []
			for text in (secret, *parts):
				self.secrets[text] = name
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

	def test_sessions_and_revocation(self):
		for name, form in (("sessions", None), ("revoke", b"token=%s")):
			token = json.loads(self.sign_in(self.start("login")).body)["access_token"]
			worker, body = self.start(name), form % token.encode() if form else b""
			given = {"HTTP_AUTHORIZATION": "Bearer " + token} if not form else {"CONTENT_TYPE": "application/x-www-form-urlencoded"}
			self.assertEqual(worker.ask(variables("POST" if form else "GET", body, **given), body).status, 200)
			self.keeps_none(worker, token=token)

	def test_change_of_address_its_link_and_the_end_of_an_account(self):
		token = json.loads(self.sign_in(self.start("login")).body)["access_token"]
		bearer = {"HTTP_AUTHORIZATION": "Bearer " + token}
		worker = self.start("change-email")
		self.assertEqual(worker.post(json.dumps({"current_password": PASSWORD, "new_email": "wasp@example.org"}).encode(), **bearer).status, 202)
		link = Mailbox(self.settings["STATE"]).to("wasp@example.org").token
		self.keeps_none(worker, token=token, password=PASSWORD, link=link)
		self.assertEqual(worker.ask(variables("GET", QUERY_STRING="token=" + link, SCRIPT_NAME="/auth/change-email")).status, 200)
		self.assertEqual(worker.post(json.dumps({"token": link}).encode()).status, 200)
		self.keeps_none(worker, token=token, password=PASSWORD, link=link)
		worker = self.start("delete-account")
		self.assertEqual(worker.post(json.dumps({"current_password": PASSWORD}).encode(), **bearer).status, 204)
		self.keeps_none(worker, token=token, password=PASSWORD)

	def test_proof_of_an_address(self):
		self.assertEqual(self.start("register").post(json.dumps({"email": "wasp@example.org", "password": NEW_PASSWORD}).encode()).status, 201)
		link = Mailbox(self.settings["STATE"]).to("wasp@example.org").token
		worker = self.start("verify-email")
		self.assertEqual(worker.ask(variables("GET", QUERY_STRING="token=" + link, SCRIPT_NAME="/auth/verify-email")).status, 200)
		self.assertEqual(worker.post(json.dumps({"token": link}).encode()).status, 200)
		self.keeps_none(worker, link=link)

	def test_no_request_sees_anything_of_the_ones_before(self):
		"""Two people, a stranger and bad tokens, a thousand times at one process of me and one of verify."""
		login, doors = self.start("login"), {"me": 200, "verify": 204}
		asks = [(None, None), ("Bearer x", None)]
		for address in (EMAIL, OTHER):
			body = json.loads(login.post(json.dumps({"email": address, "password": PASSWORD}).encode()).body)
			asks += [("Bearer " + body["access_token"], body["user"]["id"]), ("Bearer " + body["access_token"][:-2] + "AA", None)]
		for name, status in doors.items():
			worker = self.start(name)
			for _ in range(1000):
				authorization, user = random.choice(asks)
				answer = worker.ask(variables("GET", HTTP_AUTHORIZATION=authorization))
				seen = answer.header("X-Auth-User-Id") if name == "verify" else json.loads(answer.body).get("id")
				self.assertEqual((answer.status, seen), (status if user else 401, user))
				self.assertEqual(f"user={user}" in answer.log if user else "user=" not in answer.log, True, answer.log)

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


class Held(list):
	"""Messages, of which the first is taken when `go` is set; then the server says no more at the next one's MAIL."""
	def __init__(self, server):
		self.server, self.go = server, threading.Event()

	def append(self, message):
		super().append(message)
		self.go.wait(20)
		self.server.stalls = "MAIL"


class Deliverer(Case):
	"""The detached child that has delivered one message and hangs at the next: forked from a process that answered before."""
	def setUp(self):
		super().setUp()
		os.mkdir(os.path.join(self.directory, "certificates"))
		make_certificates(os.path.join(self.directory, "certificates"))
		shutil.copy(os.path.join(self.directory, "certificates", "ca.pem"), os.path.join(self.settings["STATE"], "smtp-ca.pem"))
		self.smtp = Smtp(os.path.join(self.directory, "certificates", "good.pem"))
		self.addCleanup(self.smtp.stop)
		self.smtp.messages = Held(self.smtp)
		self.settings.update(MAIL_TRANSPORT="smtp", SMTP_HOST="127.0.0.1", SMTP_PORT=str(self.smtp.port), MAIL_FROM="noreply@bee.example")

	def deliverer(self, name):
		for path in glob.glob("/proc/[0-9]*/exe"):
			try:
				if os.readlink(path) == executable(name) and self.directory in read(os.path.dirname(path) + "/maps") and \
				    read(os.path.dirname(path) + "/comm") == "guardbee-mail\n":
					return int(path.split("/")[2])
			except OSError:
				pass
		return None

	def hangs_at_the_second(self, name, first, second):
		"""What the first mail held; the second's address is still known. first, second: bodies that bring a mail each."""
		worker = self.start(name)
		answer = worker.post(json.dumps(first).encode())
		self.assertTrue(wait_until(lambda: len(self.smtp.messages) == 1), answer.log)
		worker.post(json.dumps(second).encode())
		self.smtp.messages.go.set()
		self.assertTrue(wait_until(lambda: self.smtp.commands[-1][0] == "MAIL" and self.smtp.stalls == "MAIL"))
		text = email.message_from_bytes(self.smtp.messages[0]["data"], policy=email.policy.default).get_body(("plain",)).get_content()
		text = "\n".join(text.splitlines())
		pid = self.deliverer(name)
		core = core_of(pid, self.directory)
		os.kill(pid, signal.SIGKILL)
		self.assertIn(second["email"].encode(), core)
		for given in (json.loads(answer.body), first):
			self.secrets.update((value, key) for key, value in given.items() if key.endswith("token") or key == "password")
		self.secrets[re.search(r"token=(\S+)", text)[1]] = "link"
		self.secrets.update((code, "code") for code in re.findall(r"^[A-Z2-9]{4}-[A-Z2-9]{4}$", text, re.M))
		for secret in list(self.secrets):
			self.secrets.update((part, "part of a token") for part in secret.split(".")[1:] if secret.count(".") == 2)
		self.assertEqual(self.held_by(core), [])
		return set(self.secrets.values())

	def test_after_registration(self):
		held = self.hangs_at_the_second("register", {"email": "wasp@example.org", "password": NEW_PASSWORD},
		    {"email": "ant@example.org", "password": PASSWORD})
		self.assertLessEqual({"link", "password", "access_token", "refresh_token"}, held)

	def test_after_a_forgotten_password(self):
		self.assertLessEqual({"link", "code"}, self.hangs_at_the_second("forgot-password", {"email": EMAIL}, {"email": OTHER}))


@unittest.skipIf("coverage" in BUILD, "such a build is not confined")
class Crash(Case):
	powerless = ["setpriv", "--bounding-set", "-all", "--inh-caps", "-all"] if os.geteuid() == 0 else []

	def ends(self, process, number):
		process.send_signal(number)
		how = os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
		process.wait()
		self.assertEqual(how.si_status, number)
		return how.si_code

	def may_look_into(self, process):
		"""Whether one of its own user may, who has as few rights as it has."""
		return subprocess.run([*self.powerless, "cat", f"/proc/{process.pid}/maps"], capture_output=True).returncode == 0

	def test_no_program_leaves_a_core_or_is_looked_into(self):
		"""The limit that each sets itself keeps a core from a file, that it is not dumpable from a pipe and a debugger."""
		before = resource.getrlimit(resource.RLIMIT_CORE)
		resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
		self.addCleanup(resource.setrlimit, resource.RLIMIT_CORE, before)
		for number, name in enumerate(executables()):
			worker = Worker(name, self.settings, under=self.powerless)
			looked = self.may_look_into(worker.process)
			how = self.ends(worker.process, (signal.SIGSEGV, signal.SIGABRT)[number % 2])
			worker.stop()
			self.assertEqual((looked, how), (False, os.CLD_KILLED), name)
		command = subprocess.Popen([*self.powerless, os.path.join(BUILD, "bin", "guardbee"), "user", "add", "wasp@example.org"], env=self.environment(),
		    stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
		self.assertTrue(wait_until(lambda: re.search(r"core file size +0 +0 ", read(f"/proc/{command.pid}/limits"))))
		self.assertEqual((self.may_look_into(command), self.ends(command, signal.SIGSEGV)), (False, os.CLD_KILLED))
		command.stdin.close()
		for number in (signal.SIGSEGV, signal.SIGABRT):
			sleeper = subprocess.Popen([*self.powerless, "sleep", "60"], cwd=self.directory)
			wait_until(lambda: read(f"/proc/{sleeper.pid}/comm") == "sleep\n")
			self.assertTrue(self.may_look_into(sleeper))
			how = self.ends(sleeper, number)
			if before[1] != 0 and not read("/proc/sys/kernel/core_pattern").startswith("|"):
				self.assertEqual(how, os.CLD_DUMPED)


if __name__ == "__main__":
	unittest.main()
