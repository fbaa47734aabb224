# SPDX-License-Identifier: MIT
"""
etc/serve, as `make run` ends in it, and etc/lighttpd, which it serves with: URLs, files, headers, logs,
a second start, a taken port, and that nothing stays behind.
"""
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, os.environ.get("BUILD", "build"))
SANITIZE = BUILD.partition("/sanitize-")[2].replace("-", ",")	# or make would build it anew, without
PASSWORD = "walnut-harbour-seven-lanterns"
CHEAP = {"ARGON2_MEMORY_COST": "7168", "ARGON2_TIME_COST": "1"}
# Beside the default: /auth/NAME is answered by the program of the same name.
BOTH_SPELLINGS = ("reset-password", "verify-email", "change-email")
PAGES = ("/login", "/register", "/forgot-password", "/account")
OTHER_URL = {"jwks": "/auth/jwks.json"}


def free_port():
	with socket.socket() as probe:
		probe.bind(("127.0.0.1", 0))
		return probe.getsockname()[1]


def programs():
	return sorted(name[:-5] for name in os.listdir(os.path.join(BUILD, "cgi-bin")) if name.endswith(".fcgi"))


def processes():
	"""(pid, parent, group, arguments) of everything that lives. Programs that hold keys show no more than that."""
	found = []
	for pid in filter(str.isdigit, os.listdir("/proc")):
		try:
			with open(f"/proc/{pid}/stat") as stat, open(f"/proc/{pid}/cmdline") as arguments:
				state, parent, group = stat.read().rsplit(")", 1)[1].split()[:3]
				if state != "Z":
					found.append((int(pid), int(parent), int(group), arguments.read().split("\0")))
		except OSError:
			continue
	return found


class Serve(unittest.TestCase):
	def setUp(self):
		self.folder = tempfile.mkdtemp(prefix="guardbee")
		self.addCleanup(shutil.rmtree, self.folder)
		self.state = os.path.join(self.folder, "a state", "var")
		self.port = free_port()
		self.settings = {"PORT": str(self.port), "STATE": self.state, "TMPDIR": self.folder, **CHEAP}
		self.process, self.group = None, -1
		self.addCleanup(self.end)

	def start(self, *command, **settings):
		kept = {name: os.environ[name] for name in ("PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS") if name in os.environ}
		self.process = subprocess.Popen(command or [os.path.join(ROOT, "etc", "serve"), BUILD], cwd=ROOT, text=True, start_new_session=True,
		    env={**kept, **self.settings, **settings}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
		return self

	def until_served(self):
		lines = []
		while "log is" not in "".join(lines[-1:]):
			line = self.process.stdout.readline()
			if line == "":
				self.fail(self.process.stderr.read())
			lines.append(line)
		self.group = next(group for _, _, group, words in processes() if f"{self.state}/lighttpd/lighttpd.conf" in words)
		return "".join(lines)

	def until_all_run(self):
		"""lighttpd takes requests before the last program has started."""
		end = time.monotonic() + 10
		while sum(words[0].endswith(".fcgi") for _, words in self.members()) < 2 * len(programs()) and time.monotonic() < end:
			time.sleep(0.02)

	def members(self):
		return [(pid, words) for pid, _, group, words in processes() if group == self.group]

	def end(self, how=signal.SIGTERM):
		"""Exit code; everything that was started must be gone."""
		if self.process is None:
			return None
		process, self.process = self.process, None
		process.send_signal(how)
		try:
			process.communicate(timeout=20)
		except subprocess.TimeoutExpired:
			process.kill()
			process.communicate()
			self.fail("it does not end")
		finally:
			left = self.members()
			for pid, _ in left:
				os.kill(pid, signal.SIGKILL)
		self.assertEqual(left, [])
		self.assertEqual([name for name in os.listdir(self.folder) if name.startswith("guardbee.")], [])
		return process.returncode

	def request(self, method, path, body=None, **headers):
		connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
		try:
			if body is not None:
				headers["Content-Type"] = "application/json"
				body = json.dumps(body)
			connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
			answer = connection.getresponse()
			answer.text = answer.read().decode(errors="replace")
			return answer
		finally:
			connection.close()

	def register(self, email="bee@example.org"):
		answer = self.request("POST", "/auth/register", {"email": email, "password": PASSWORD})
		self.assertEqual(answer.status, 201, answer.text)
		return json.loads(answer.text)


class Running(Serve):
	def test_says_where_it_serves_and_where_mail_goes(self):
		text = self.start().until_served()
		self.assertIn(f"guardbee serves http://127.0.0.1:{self.port} ", text)
		self.assertIn(f"mail goes to {self.state}/mail/*.eml\n", text)

	def test_is_in_development_with_cookies_unless_told_otherwise(self):
		self.start().until_served()
		answer = self.request("POST", "/auth/register", {"email": "bee@example.org", "password": PASSWORD}, Origin=f"http://127.0.0.1:{self.port}")
		self.assertIn("__Host-gb_gate=", answer.headers["Set-Cookie"])
		self.end()
		self.start(COOKIE_MODE="off").until_served()
		answer = self.request("POST", "/auth/login", {"email": "bee@example.org", "password": PASSWORD}, Origin=f"http://127.0.0.1:{self.port}")
		self.assertEqual((answer.status, answer.headers["Set-Cookie"]), (200, None))

	def test_a_second_start_keeps_keys_and_accounts(self):
		self.start().until_served()
		token = self.register()["access_token"]
		self.end()
		self.start().until_served()
		self.assertEqual(self.request("GET", "/auth/me", Authorization="Bearer " + token).status, 200)

	def test_an_unfit_setting_is_named(self):
		self.start(APP_ENV="production", MAIL_FROM="bee@example.org", COOKIE_MODE="off")
		out, errors = self.process.communicate(timeout=20)
		self.assertEqual((self.process.returncode, out, errors), (78, "", "guardbee: JWT_KEY is required in production\n"))

	def test_a_port_in_use_is_one_clear_line(self):
		with socket.socket() as taken:
			taken.bind(("127.0.0.1", self.port))
			taken.listen()
			self.start()
			out, errors = self.process.communicate(timeout=20)
			self.assertEqual((self.process.returncode, out), (1, ""))
			self.assertEqual(errors, f"port {self.port} is in use; another one: make run PORT={self.port + 1}\n")
		self.start().until_served()

	def test_a_port_is_a_number(self):
		for port in ("x", "80 80", "8080;", "123456"):
			self.start(PORT=port)
			_, errors = self.process.communicate(timeout=20)
			self.assertEqual((self.process.returncode, errors), (64, "PORT must be a number\n"))

	def test_every_signal_ends_everything(self):
		for how in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
			with self.subTest(how.name):
				self.start().until_served()
				self.until_all_run()
				self.assertEqual(len(self.members()), 1 + 2 * len(programs()))
				self.end(how)

	def test_a_signal_at_the_start_ends_everything_too(self):
		self.start().until_served()
		self.end()

	def test_a_request_in_flight_does_not_keep_it(self):
		self.start().until_served()
		with socket.create_connection(("127.0.0.1", self.port)) as wire:
			wire.sendall(b"POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
			time.sleep(0.2)
			self.end()

	def test_make_run_ends_everything_too(self):
		self.start("make", "--no-print-directory", "run", f"BUILD={BUILD}", f"SANITIZE={SANITIZE}", f"PORT={self.port}", f"STATE={self.state}")
		self.until_served()
		self.assertEqual(self.request("GET", "/auth/health").status, 200)
		self.end()


class Urls(Serve):
	def setUp(self):
		super().setUp()
		self.start().until_served()

	def test_every_program_answers_at_its_urls_and_only_there(self):
		for name in programs():
			urls = [OTHER_URL.get(name, "/auth/" + name)]
			urls = list(PAGES) if name == "page" else urls + (["/" + name] if name in BOTH_SPELLINGS else [])
			for url in urls:
				with self.subTest(url):
					answer = self.request("GET", url)
					self.assertNotEqual(answer.status, 404)
					self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff")
					for other in (url + "X", url + "/extra", url + "/"):
						self.assertEqual(self.request("GET", other).status, 404, other)

	def test_two_processes_serve_each_program(self):
		self.until_all_run()
		running = {name: 0 for name in programs()}
		for _, words in self.members():
			program = os.path.basename(words[0])
			if program.endswith(".fcgi"):
				running[program[:-5]] += 1
		self.assertEqual(running, {name: 2 for name in programs()})

	def test_files_are_served_with_strict_headers(self):
		types = {"/": "text/html", "/style.css": "text/css", "/pages.js": "text/javascript", "/favicon.svg": "image/svg+xml", "/texts/en.txt": "text/plain"}
		for url, kind in types.items():
			with self.subTest(url):
				answer = self.request("GET", url)
				self.assertEqual(answer.status, 200)
				self.assertTrue(answer.headers["Content-Type"].startswith(kind))
				self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff")
				self.assertTrue(answer.headers["Content-Security-Policy"].startswith("default-src 'none'; "))
				self.assertNotIn("unsafe", answer.headers["Content-Security-Policy"])
				self.assertNotIn("lighttpd", str(answer.headers))

	def test_pages_and_files_have_one_policy(self):
		self.assertEqual(self.request("GET", "/").headers["Content-Security-Policy"], self.request("GET", "/login").headers["Content-Security-Policy"])

	def test_nothing_else_is_served(self):
		for url in ("/templates/login.html", "/templates/", "/texts/", "/auth/", "/auth", "/lighttpd.conf", "/..%2flib/config.c", "/../Makefile", "/.git/config"):
			with self.subTest(url):
				self.assertIn(self.request("GET", url).status, (400, 403, 404))

	def test_logs_hold_paths_without_their_query(self):
		self.request("GET", "/reset-password?token=s3cret-in-a-link")
		self.request("GET", "/nowhere?token=s3cret-in-a-link")
		self.end()
		logs = {name: open(os.path.join(self.state, "log", name)).read() for name in os.listdir(os.path.join(self.state, "log"))}
		self.assertIn('"GET /reset-password HTTP/1.1" 200', logs["access.log"])
		self.assertIn('"GET /nowhere HTTP/1.1" 404', logs["access.log"])
		self.assertNotIn("s3cret", str(logs))
		self.assertIn("guardbee", logs["error.log"])

	def test_state_is_closed_to_others(self):
		self.register()
		for folder in ("", "log", "mail", "store"):
			with self.subTest(folder):
				self.assertEqual(os.stat(os.path.join(self.state, folder)).st_mode & 0o777, 0o700)

	def test_a_body_beyond_the_programs_limit_is_refused_by_them(self):
		answer = self.request("POST", "/auth/login", {"email": "a" * 9000, "password": "x"})
		self.assertEqual((answer.status, json.loads(answer.text)["code"]), (413, "payload_too_large"))
		self.assertEqual(self.request("POST", "/auth/login", {"email": "a" * 2_000_000, "password": "x"}).status, 413)


class Example(unittest.TestCase):
	def test_names_every_program(self):
		with open(os.path.join(ROOT, "etc", "lighttpd", "fastcgi.conf")) as example:
			named = re.findall(r'"/([a-z-]+)\.fcgi"', example.read())
		sources = sorted(name[:-2] for name in os.listdir(os.path.join(ROOT, "cgi-bin")) if name.endswith(".c"))
		self.assertEqual(sorted(named), sources)

	def test_the_readme_shows_gates_that_are_tested(self):
		"""Each line of its three members-only folders stands in an example that tests/hosting starts a server from."""
		with open(os.path.join(ROOT, "README.md")) as readme:
			section = readme.read().split("A folder of plain HTML for members only", 1)[1].split("A browser gets", 1)[0]
		shown = [line.strip() for line in section.splitlines() if line.startswith("    ")]
		examples = ""
		for name in ("lighttpd/gate.conf", "apache/members.htaccess", "nginx/guardbee-gate.conf"):
			with open(os.path.join(ROOT, "etc", name)) as example:
				examples += example.read()
		self.assertGreater(len(shown), 10)
		lines = {line.strip() for line in examples.splitlines()}
		self.assertEqual([line for line in shown if line not in lines], [])

	def test_never_uses_min_procs(self):
		with open(os.path.join(ROOT, "etc", "lighttpd", "fastcgi.conf")) as example:
			blocks = [line for line in example if '"bin-path"' in line]
		for line in blocks:
			self.assertIn('"max-procs" => 2', line)
			self.assertNotIn("min-procs", line)


if __name__ == "__main__":
	unittest.main()
