# SPDX-License-Identifier: MIT
"""Settings: a malformed one stops the program and names itself, where they come from, what is never shown."""
import os
import shutil
import socket
import subprocess
import tempfile
import unittest

from harness import KEY, SANITIZER_OPTIONS, SETTINGS, Case, changed, executable, main, slurp, wait_until

PRODUCTION = {"APP_ENV": "production", "RATE_LIMITS": "on", "FRONTEND_URL": "https://bees.example", "MAIL_FROM": "bees@bees.example"}
KEY2 = KEY[::-1]

# What is set (None: not set), and the name the line must hold.
UNFIT = (
	({"APP_ENV": "prod"}, "APP_ENV"),
	({"APP_ENV": "testing", "FLASK_ENV": "development"}, "APP_ENV"),
	({**PRODUCTION, "JWT_KEY": None}, "JWT_KEY"),
	({**PRODUCTION, "JWT_KEY": "tiny-key"}, "JWT_KEY"),
	({**PRODUCTION, "JWT_KEY": KEY[:31]}, "JWT_KEY"),
	({**PRODUCTION, "ALGORITHM": "HS512", "JWT_KEY": KEY[:63]}, "JWT_KEY"),
	({"JWT_KEY": KEY, "ACCESS_SECRET_KEY": KEY2}, "JWT_KEY"),
	({"REFRESH_SECRET_KEY": KEY}, "REFRESH_SECRET_KEY"),
	({"SECRET_KEY": KEY}, "SECRET_KEY"),
	({"SECRET_KEY": KEY2, "REFRESH_SECRET_KEY": KEY2}, "SECRET_KEY"),
	({**PRODUCTION, "FRONTEND_URL": None}, "FRONTEND_URL"),
	({"FRONTEND_URL": "ftp://bees.example"}, "FRONTEND_URL"),
	({"FRONTEND_URL": "bees.example"}, "FRONTEND_URL"),
	({"FRONTEND_URL": "https://bees.example/?x=1"}, "FRONTEND_URL"),
	({"FRONTEND_URL": "https://user:pass@bees.example"}, "FRONTEND_URL"),
	({"FRONTEND_URL": "https://bees.example/a\nb"}, "FRONTEND_URL"),
	({"COOKIE_MODE": "on", "FRONTEND_URL": "http://bees.example"}, "COOKIE_MODE"),
	({"COOKIE_MODE": "yes"}, "COOKIE_MODE"),
	({**PRODUCTION, "RATE_LIMITS": "off"}, "RATE_LIMITS"),
	({**PRODUCTION, "MAIL_FROM": None}, "MAIL_FROM"),
	({"MAIL_TRANSPORT": "pigeon"}, "MAIL_TRANSPORT"),
	({"MAIL_TRANSPORT": "smtp", "MAIL_FROM": "a@b.co"}, "SMTP_HOST"),
	({"ALGORITHM": "none"}, "ALGORITHM"),
	({"ALGORITHM": "hs256"}, "ALGORITHM"),
	({"API_JWT_ALLOWED_ALGORITHMS": "HS384"}, "API_JWT_ALLOWED_ALGORITHMS"),
	({"API_JWT_ALLOWED_ALGORITHMS": "HS256,none"}, "API_JWT_ALLOWED_ALGORITHMS"),
	({"EXPIRES_TOKEN_SESSION": "5", "API_JWT_EXPIRY_TIME": "6"}, "EXPIRES_TOKEN_SESSION"),
	({"STATE": "relative/path"}, "STATE"),
	({"DATABASE_URL": "postgres://x"}, "DATABASE_URL"),
	({"REGISTRATION": "maybe"}, "REGISTRATION"),
	({"GATE_REQUIRES": "group"}, "GATE_REQUIRES"),
	({"ARGON2_MEMORY_COST": "7167"}, "ARGON2_MEMORY_COST"),
	({"ARGON2_MEMORY_COST": "1048577"}, "ARGON2_MEMORY_COST"),
	({"TRUSTED_PROXIES": "not-an-address"}, "TRUSTED_PROXIES"),
	({"CORS_ORIGINS": "https://app.example.org/"}, "CORS_ORIGINS"),
	({"CORS_ORIGINS": "*"}, "CORS_ORIGINS"),
)
RANGES = {
	"EXPIRES_TOKEN_SESSION": (1, 525600), "API_JWT_REFRESH_EXPIRY_TIME": (1, 525600), "EXPIRES_TOKEN_EMAIL": (1, 1440),
	"REFRESH_GRACE": (0, 60), "API_JWT_LEEWAY": (0, 120), "PASSWORD_MIN_LENGTH": (8, 64), "PASSWORD_MIN_SCORE": (0, 4),
	"ARGON2_TIME_COST": (1, 10), "HASH_SLOTS": (1, 64), "SESSIONS_PER_USER": (1, 32),
}
NUMBERS = ("x", "1e3", "0x10", "5 ", " 5", "+5", "5.0", "5m", "99999999999999999999", "-1")


class Program(unittest.TestCase):
	"""One executable by hand, without a web server."""
	def setUp(self):
		self.directory = tempfile.mkdtemp(prefix="gb")
		self.addCleanup(shutil.rmtree, self.directory)
		os.mkdir(self.state(), 0o700)

	def state(self):
		return os.path.join(self.directory, "state")

	def environment(self, settings):
		values = {**SETTINGS, "STATE": self.state(), **settings, "PATH": os.environ["PATH"]}
		values.update({name: os.environ[name] for name in SANITIZER_OPTIONS if name in os.environ})
		return {name: value for name, value in values.items() if value is not None}

	def as_fastcgi(self, settings, name="me"):
		"""(exit code, or None while it serves; standard error)"""
		with socket.socket(socket.AF_UNIX) as listening:
			path = os.path.join(self.directory, "socket")
			if os.path.exists(path):
				os.unlink(path)
			listening.bind(path)
			listening.listen()
			process = subprocess.Popen([executable(name)], stdin=listening, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
			    env=self.environment(settings))
			try:
				_, errors = process.communicate(timeout=5)
				return process.returncode, errors.decode()
			except subprocess.TimeoutExpired:
				process.terminate()
				return None, process.communicate()[1].decode()

	def as_cgi(self, settings, name="me", **variables):
		request = {"REQUEST_METHOD": "GET", "SCRIPT_NAME": "/auth/" + name, "GATEWAY_INTERFACE": "CGI/1.1", "SERVER_PROTOCOL": "HTTP/1.1",
		    "REMOTE_ADDR": "127.0.0.1", "QUERY_STRING": ""}
		return subprocess.run([executable(name)], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20,	# text: a line ends in \n
		    env={**self.environment(settings), **request, **variables})


class Unfit(Program):
	def stops(self, settings, name):
		code, errors = self.as_fastcgi(settings)
		self.assertEqual(code, 78, errors)
		self.assertEqual(len(errors.strip().splitlines()), 1, errors)
		self.assertIn(name, errors)
		self.shows_no_secret(errors)

	def shows_no_secret(self, text):
		for secret in (KEY, KEY2, KEY[:31], KEY[:63], "tiny-key"):
			self.assertNotIn(secret, text)

	def test_a_fit_one_serves_and_ends_on_term(self):
		code, errors = self.as_fastcgi({})
		self.assertIsNone(code, errors)
		code, errors = self.as_fastcgi(PRODUCTION)
		self.assertIsNone(code, errors)

	def test_an_unfit_setting_stops_the_program_with_78_and_its_name(self):
		for settings, name in UNFIT:
			with self.subTest(name=name, settings={key: str(value)[:20] for key, value in settings.items()}):
				self.stops(settings, name)

	def test_numbers_are_digits_within_their_range(self):
		for name, (low, high) in RANGES.items():
			for value in (str(low - 1), str(high + 1), NUMBERS[len(name) % len(NUMBERS)]):
				with self.subTest(name=name, value=value):
					self.stops({name: value}, name)
		for value in NUMBERS:
			with self.subTest(value=value):
				self.stops({"EXPIRES_TOKEN_SESSION": value}, "EXPIRES_TOKEN_SESSION")

	def test_a_person_sees_a_page_instead(self):
		for name in ("page", "reset-password"):
			done = self.as_cgi({"JWT_KEY": KEY, "COOKIE_MODE": "yes"}, name, HTTP_ACCEPT="text/html", HTTP_ACCEPT_LANGUAGE="de", QUERY_STRING="token=x")
			head, _, body = done.stdout.partition("\n\n")
			self.assertTrue(head.startswith("Status: 503"), head)
			self.assertIn("Content-Type: text/html", head)
			self.assertIn("Retry-After: ", head)
			self.assertIn("Bei uns ist etwas schiefgegangen", body)
			self.assertNotIn("COOKIE_MODE", done.stdout)
			self.shows_no_secret(done.stdout)
			self.assertIn('"code":"internal"', self.as_cgi({"COOKIE_MODE": "yes"}, name, HTTP_ACCEPT="*/*").stdout)

	def test_plain_cgi_answers_503_first(self):
		done = self.as_cgi({"COOKIE_MODE": "yes"})
		self.assertEqual(done.returncode, 78, done.stderr)
		head, _, body = done.stdout.partition("\n\n")
		self.assertTrue(head.startswith("Status: 503"), head)
		self.assertIn('"code":"internal"', body.replace(" ", ""))
		self.assertNotIn("COOKIE_MODE", done.stdout)
		self.assertIn("COOKIE_MODE", done.stderr)
		done = self.as_cgi({})
		self.assertEqual((done.returncode, done.stdout[:11]), (0, "Status: 401"), done.stderr)

	def test_aliases_that_agree_and_development_names(self):
		for settings in ({"ACCESS_SECRET_KEY": KEY}, {"JWT_KEY": None, "ACCESS_SECRET_KEY": KEY}, {"API_JWT_EXPIRY_TIME": "5"},
		    {"EXPIRES_TOKEN_SESSION": "5", "API_JWT_EXPIRY_TIME": "5"}, {"APP_ENV": None, "FLASK_ENV": "testing"}, {"APP_ENV": "local"},
		    {"APP_ENV": "development"}, {"API_JWT_ALGORITHM": "HS384", "JWT_KEY": KEY}):
			with self.subTest(settings=settings):
				done = self.as_cgi(settings)
				self.assertEqual(done.stdout[:11], "Status: 401", done.stderr)

	def test_a_short_key_only_warns_outside_production(self):
		done = self.as_cgi({"JWT_KEY": "short-key"})
		self.assertEqual(done.stdout[:11], "Status: 401", done.stderr)
		self.assertIn("JWT_KEY", done.stderr)
		self.assertNotIn("short-key", done.stderr)


class SecretFiles(Program):
	def file(self, content, mode=0o600):
		path = os.path.join(self.directory, "key")
		with open(path, "w") as out:
			out.write(content)
		os.chmod(path, mode)
		return path

	def served(self, settings):
		return self.as_cgi({"JWT_KEY": None, **settings})

	def test_a_secret_may_stand_in_a_file_of_our_own(self):
		for content in (KEY, KEY + "\n"):
			done = self.served({**PRODUCTION, "JWT_KEY_FILE": self.file(content)})
			self.assertEqual(done.stdout[:11], "Status: 401", done.stderr)

	def test_one_final_newline_is_removed_and_no_more(self):
		"""No two keys may be equal: so the start itself compares what was read."""
		done = self.served({"JWT_KEY_FILE": self.file(KEY + "\n"), "SECRET_KEY": KEY})
		self.assertEqual(done.returncode, 78)
		done = self.served({"JWT_KEY_FILE": self.file(KEY + "\n\n"), "SECRET_KEY": KEY})
		self.assertEqual(done.returncode, 0, done.stderr)

	def test_unfit_files_stop_the_start(self):
		path = self.file(KEY)
		link = os.path.join(self.directory, "link")
		os.symlink(path, link)
		folder = os.path.join(self.directory, "folder")
		os.mkdir(folder)
		fifo = os.path.join(self.directory, "fifo")
		os.mkfifo(fifo, 0o600)
		for bad in (os.path.join(self.directory, "absent"), folder, fifo):
			with self.subTest(bad=bad):
				done = self.served({"JWT_KEY_FILE": bad})
				self.assertEqual(done.returncode, 78, done.stderr)
				self.assertIn("JWT_KEY_FILE", done.stderr)
		if os.getuid() != 0:		# root's symlink and root's 0644 file are what containers mount
			for bad, mode in ((link, 0o600), (path, 0o644), (path, 0o620)):
				os.chmod(path, mode)
				self.assertEqual(self.served({"JWT_KEY_FILE": bad}).returncode, 78)
		os.chmod(path, 0o666)
		self.assertEqual(self.served({"JWT_KEY_FILE": path}).returncode, 78)
		os.chmod(path, 0o600)
		self.assertEqual(self.served({"JWT_KEY_FILE": path}).returncode, 0)

	def test_a_value_and_a_file_that_differ_stop_the_start(self):
		self.assertEqual(self.as_cgi({"JWT_KEY_FILE": self.file(KEY2)}).returncode, 78)


class ByParameters(Case):
	"""Settings as .htaccess gives them: with each request."""
	options = {"parameters": True, "extra": '$HTTP["querystring"] == "other" { setenv.add-environment = ( "SITE_NAME" => "Other" ) }'}
	settings = {"EXPIRES_TOKEN_SESSION": "9"}

	def test_the_parameters_are_the_settings(self):
		body = self.register()
		self.assertEqual(body["expires_in"], 540)
		self.expect(self.me(changed(body["access_token"])), 200)

	def test_other_values_later_are_503_and_the_first_stay(self):
		token = self.register()["access_token"]
		self.alive(token)
		for _ in range(4):
			self.alive(token)		# both processes have seen the first values
		self.refused(self.get("/auth/me?other", bearer=token), 503, "internal")
		self.alive(token)
		self.assertNotIn(KEY, self.server.logs())

	def test_headers_are_no_settings(self):
		names = ("JWT_KEY", "Jwt-Key", "EXPIRES-TOKEN-SESSION", "REDIRECT_JWT_KEY")
		token = self.register()["access_token"]
		self.expect(self.get("/auth/me", bearer=token, headers={name: KEY2 for name in names}), 200)


class ByParametersUnfit(Case):
	options = {"parameters": True}
	settings = {"COOKIE_MODE": "yes"}

	def test_it_is_503_a_log_line_and_the_process_stays(self):
		self.assertTrue(wait_until(lambda: len(self.server.children("me")) == 2))
		before = sorted(self.server.children("me"))
		for _ in range(4):
			answer = self.get("/auth/me")
			self.refused(answer, 503, "internal")
			self.assertNotIn(b"COOKIE_MODE", answer.body)
		self.assertIn("COOKIE_MODE", self.server.logs())
		self.assertEqual(sorted(self.server.children("me")), before)


class TheEnvironmentWins(Case):
	options = {"extra": f'setenv.add-environment = ( "JWT_KEY" => "{KEY2}", "EXPIRES_TOKEN_SESSION" => "3" )'}

	def test_parameters_are_ignored_where_the_environment_names_a_setting(self):
		body = self.register()
		self.assertEqual(body["expires_in"], 1440 * 60)
		self.expect(self.me(changed(body["access_token"])), 200)
		self.refused(self.me(changed(body["access_token"], KEY2)), 401, "token_invalid")

	def test_secrets_are_overwritten_in_the_environment(self):
		for name in ("me", "login", "refresh"):
			for pid in self.server.children(name):
				environment = slurp(f"/proc/{pid}/environ")
				self.assertNotIn(KEY.encode(), environment)
				self.assertIn(b"STATE=", environment)


class MadeKeys(Case):
	settings = {"JWT_KEY": None}

	def test_a_missing_key_is_made_and_kept(self):
		token = self.register()["access_token"]
		self.server.restart()
		self.alive(token)
		for folder, _, names in os.walk(self.server.state):
			self.assertEqual(os.stat(folder).st_mode & 0o077, 0, folder)
			for name in names:
				self.assertEqual(os.stat(os.path.join(folder, name)).st_mode & 0o077, 0, name)


if __name__ == "__main__":
	main()
