# SPDX-License-Identifier: MIT
"""
The archive of `make shared-host` on a shared host: Apache with suexec, an ordinary user, and an .htaccess that may only do
what AllowOverride FileInfo Options=ExecCGI,MultiViews lets it; as FastCGI and as plain CGI.

suexec must be started by root, so this is skipped for others. The ordinary user is `nobody`, because suexec knows only users
of the system; his web space is a folder below /var/www, the only place where Debian's suexec starts anything.
"""
import atexit
import contextlib
import ftplib
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "http"))
import harness
from harness import Case, PASSWORD, ROOT, Server, free_port, processes, arguments_of, slurp, tell, wait_until

ARCHIVE = os.path.join(ROOT, "build", "guardbee-shared-host.tar.gz")
APACHE, MODULES, SUEXEC = "/usr/sbin/apache2", "/usr/lib/apache2/modules", "/usr/lib/apache2/suexec"
USER, OTHER = pwd.getpwnam("nobody"), pwd.getpwnam("www-data")
GATE = """FcgidAccessChecker {web}/auth/verify
FcgidAccessCheckerAuthoritative On
ErrorDocument 401 /login
"""
SHOW = "#!/bin/sh\nprintf 'Content-Type: text/plain\\r\\n\\r\\n'\nenv\n"
ENDPOINTS = ("change-email", "change-password", "delete-account", "forgot-password", "health", "introspect", "jwks.json", "login", "logout",
    "me", "refresh", "register", "reset-password", "revoke", "sessions", "verify", "verify-email")


def setUpModule():
	if os.geteuid() != 0:
		raise unittest.SkipTest("suexec must be started by root: run this as root")
	environment = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "SANITIZE", "BUILD")}
	made = subprocess.run(["make", "-s", "shared-host"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600)
	if made.returncode != 0:
		raise AssertionError("make shared-host: " + made.stdout + made.stderr)


def as_user(*command, user=USER, **more):
	"""Run by an ordinary user, who has nothing but what every account has."""
	return subprocess.run(command, user=user.pw_uid, group=user.pw_gid, extra_groups=[], capture_output=True, text=True, timeout=60,
	    cwd="/", env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}, stdin=subprocess.DEVNULL, **more)


class Host(Server):
	"""One account on a shared host. harness.Server's client, with an Apache of our own behind it."""
	def __init__(self, fastcgi):
		self.directory = tempfile.mkdtemp(prefix="guardbee", dir="/var/www")
		self.port, self.fastcgi = free_port(), fastcgi
		self.origin = f"http://127.0.0.1:{self.port}"
		self.home = os.path.join(self.directory, "home")
		self.web, self.private = os.path.join(self.home, "public_html"), os.path.join(self.home, "guardbee")
		self.state = os.path.join(self.private, "state")
		self.program = os.path.join(self.private, "guardbee")
		self.archive = os.path.join(self.home, "guardbee-shared-host")
		self.process, self.secrets, self.lock = None, set(), threading.Lock()
		atexit.register(self.stop)
		os.chmod(self.directory, 0o755)
		for folder, owner, mode in ((self.home, USER, 0o711), (self.web, USER, 0o755), (os.path.join(self.directory, "fcgid"), OTHER, 0o700)):
			os.mkdir(folder)
			os.chown(folder, owner.pw_uid, owner.pw_gid)
			os.chmod(folder, mode)

	# --- what the customer does ------------------------------------------------------------------------------

	def unpack(self):
		with open(ARCHIVE, "rb") as archive:
			got = subprocess.run(["tar", "-xz", "-C", self.home], user=USER.pw_uid, group=USER.pw_gid, extra_groups=[], umask=0o022,
			    stdin=archive, capture_output=True, text=True)
		if got.returncode != 0:
			raise AssertionError(got.stderr)

	def install(self, private=None, url=None):
		return as_user(os.path.join(self.archive, "install.sh"), self.web, private or self.private, url or self.origin)

	def write(self, path, text, mode=0o644):
		"""As the customer's editor does it: a new file in the place of the old."""
		with open(path + "~", "w") as out:
			out.write(text)
		os.chown(path + "~", USER.pw_uid, USER.pw_gid)
		os.chmod(path + "~", mode)
		os.rename(path + "~", path)

	def set(self, **settings):
		path = os.path.join(self.private, "env")
		lines = [line for line in slurp(path).decode().splitlines() if line.split("=")[0] not in settings]
		self.write(path, "\n".join([*lines, *(f"{name}={value}" for name, value in settings.items())]) + "\n", 0o600)

	def command(self, *arguments, input=""):
		return subprocess.run([self.program, *arguments], user=USER.pw_uid, group=USER.pw_gid, extra_groups=[], cwd="/", text=True,
		    env={"PATH": "/usr/bin:/bin"}, input=input, capture_output=True, timeout=60)

	# --- what the host does ----------------------------------------------------------------------------------

	def configuration(self):
		modules = ["mpm_event", "authz_core", "dir", "mime", "alias", "env", "setenvif", "rewrite", "headers", "negotiation", "suexec", "cgid"]
		lines = [f"LoadModule {name}_module {MODULES}/mod_{name}.so" for name in modules + (["fcgid"] if self.fastcgi else [])]
		lines += [f'ServerRoot "{self.directory}"', f"Listen 127.0.0.1:{self.port}", "ServerName 127.0.0.1", "PidFile apache.pid",
		    f"DefaultRuntimeDir {self.directory}", f"ScriptSock {self.directory}/cgid.sock", "ErrorLog error.log", "User www-data", "Group www-data", "TraceEnable Off", "LogLevel warn",
		    "StartServers 1", "ThreadsPerChild 16", "MaxRequestWorkers 16", f"SuexecUserGroup {USER.pw_name} nogroup",
		    f'DocumentRoot "{self.web}"', "<Directory />", "Require all denied", "AllowOverride None", "</Directory>",
		    f'<Directory "{self.web}">', "Require all granted", "Options Indexes MultiViews SymLinksIfOwnerMatch",
		    "AllowOverride FileInfo Options=ExecCGI,MultiViews", "</Directory>", '<FilesMatch "^\.ht">', "Require all denied", "</FilesMatch>", "TypesConfig /etc/mime.types"]
		if self.fastcgi:
			lines += [f"FcgidIPCDir {self.directory}/fcgid", f"FcgidProcessTableFile {self.directory}/fcgid/shm", "FcgidMinProcessesPerClass 0"]
		return "\n".join(lines) + "\n"

	def start(self):
		path = os.path.join(self.directory, "apache.conf")
		with open(path, "w") as out:
			out.write(self.configuration())
		with open(os.path.join(self.directory, "stderr.log"), "ab") as errors:
			self.process = subprocess.Popen([APACHE, "-D", "FOREGROUND", "-f", path], env={"PATH": "/usr/bin:/bin"}, stdin=subprocess.DEVNULL,
			    stdout=errors, stderr=errors, start_new_session=True, preexec_fn=harness.end_with_us)
		if not wait_until(lambda: self.listens() or self.process.poll() is not None, 30) or self.process.poll() is not None:
			self.halt()
			raise RuntimeError("Apache does not start:\n" + self.logs())
		return self

	def halt(self):
		if self.process is not None:
			self.process.terminate()
			try:
				self.process.wait(30)
			except subprocess.TimeoutExpired:
				os.killpg(self.process.pid, signal.SIGKILL)
				self.process.wait()
			self.process = None
		left = lambda: [pid for pid in processes() if harness.mentions(pid, self.directory.encode())]
		wait_until(lambda: not left(), 20)
		return left()

	def running(self):
		"""{pid: name} of the programs that wait for requests or serve one."""
		found = {}
		for pid in processes():
			words = arguments_of(pid) or []
			if words[1:2] == ["serve"] and words[0] == self.program or words[:1] == ["../../guardbee/guardbee"]:
				found[pid] = words[2]
		return found


class HostCase(Case):
	fastcgi = True

	@classmethod
	def make_server(cls):
		return Host(cls.fastcgi)

	@classmethod
	def prepare(cls):
		cls.server.unpack()
		got = cls.server.install()
		if got.returncode != 0:
			raise AssertionError(got.stdout + got.stderr)
		cls.server.set(COOKIE_MODE="on", MAIL_TRANSPORT="file", ARGON2_MEMORY_COST="7168", ARGON2_TIME_COST="1")

	def member(self, groups=None):
		email = self.email()
		added = self.server.command("user", "add", email, input=PASSWORD + "\n")
		self.assertEqual(added.returncode, 0, added.stderr)
		if groups:
			self.assertEqual(self.server.command("user", "set", email, "groups=" + groups).returncode, 0)
		return email, self.login(email)


def as_both(case):
	module = sys.modules[case.__module__]
	for name, fastcgi in (("fastcgi", True), ("cgi", False)):
		full = f"{case.__name__}_{name}"
		setattr(module, full, type(full, (case,), {"fastcgi": fastcgi, "__module__": case.__module__}))
	return None


@as_both
class Site(HostCase):
	def test_the_whole_path_of_an_account(self):
		email = self.email()
		first = self.register(email)
		self.expect(self.me(first["access_token"]), 200)
		second = self.expect(self.refresh(first["refresh_token"]), 200).json()
		self.alive(second["access_token"])
		self.expect(self.post("/auth/logout", bearer=second["access_token"]), 204)
		self.dead(second["access_token"])
		self.expect(self.post("/auth/forgot-password", {"email": email}), 200)
		link = self.mailed_link(email)
		self.assertTrue(link.startswith(self.server.origin + "/reset-password?token="), link)
		page = self.expect(self.get(link[len(self.server.origin):]), 200)
		self.assertIn("text/html", page.headers["Content-Type"])
		token = link.split("token=")[1]
		self.expect(self.post("/auth/reset-password", {"token": token, "new_password": "granite teapot under nine elms"}), 200)
		self.refused(self.post("/auth/login", {"email": email, "password": PASSWORD}), 401, "invalid_credentials")
		self.alive(self.login(email, "granite teapot under nine elms")["access_token"])

	def mailed_link(self, email):
		folder = os.path.join(self.server.state, "mail")

		def links():
			texts = [slurp(os.path.join(folder, name)).decode() for name in os.listdir(folder) if name.endswith(".eml")]
			return re.findall(r"http\S+/reset-password\?token=[\w.-]+", "\n".join(text for text in texts if f"To: {email}" in text or email in text))
		self.assertTrue(wait_until(links, 30), self.server.logs())
		return links()[-1]

	def test_urls_are_exact(self):
		self.expect(self.get("/auth/health"), 200)
		self.expect(self.get("/auth/jwks.json"), 200)
		for path in ("/auth/loginX", "/auth/login/extra", "/auth/login/", "/auth/logi", "/auth/Login", "/auth/jwks", "/auth/health/", "/loginX", "/login/",
		    "/login/extra", "/accountX", "/auth/page", "/auth/login.fcgi"):
			with self.subTest(path=path):
				self.assertEqual(self.get(path).status, 404)
				self.assertEqual(self.post(path, {}).status, 404)

	def test_every_endpoint_and_page_is_a_program(self):
		for name in ENDPOINTS:
			with self.subTest(name=name):
				answer = self.call("OPTIONS", "/auth/" + name)
				self.assertEqual(answer.status, 401 if name == "verify" else 204, self.story(answer))
		for path in ("/login", "/register", "/forgot-password", "/reset-password", "/verify-email", "/change-email", "/"):
			with self.subTest(path=path):
				answer = self.expect(self.get(path), 200)
				self.assertIn("<!doctype html", answer.text().lower())
				self.assertNotIn("#!", answer.text())

	def test_programs_run_as_the_customer(self):
		self.expect(self.get("/auth/health"), 200)
		self.assertEqual(os.stat(os.path.join(self.server.state, "jwt.key")).st_uid, USER.pw_uid)
		running = self.server.running()
		self.assertEqual("health" in running.values(), self.fastcgi, running)
		for pid in running:
			with contextlib.suppress(FileNotFoundError):
				self.assertIn(f"Uid:\t{USER.pw_uid}\t", slurp(f"/proc/{pid}/status").decode())

	def test_what_a_client_forges_does_not_count(self):
		email, body = self.member()
		forged = {"X-Auth-User": "admin", "X_Auth_User": "admin", "Proxy": "http://127.0.0.1:9/", "X_Forwarded_For": "192.0.2.9",
		    "X-Forwarded-For": "192.0.2.9", "X-Forwarded-Host": "evil.example", "DOCUMENT_ROOT": "/", "REMOTE_USER": "admin", "STATE": "/tmp"}
		answer = self.expect(self.get("/auth/me", bearer=body["access_token"], headers=forged), 200)
		self.assertEqual(answer.json()["email"], email)
		asked = '{"email":"%s"}' % email
		answer = self.server.raw((f"POST /auth/forgot-password HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\nContent-Type: application/json\r\n"
		    f"X-Forwarded-Host: evil.example\r\nContent-Length: {len(asked)}\r\n\r\n{asked}").encode(), 30)
		self.assertIn(b" 200 ", answer.splitlines()[0])
		self.assertTrue(self.mailed_link(email).startswith(self.server.origin + "/reset-password"))
		sessions = self.expect(self.get("/auth/sessions", bearer=body["access_token"]), 200).json()["sessions"]
		self.assertEqual({session["address"] for session in sessions}, {"127.0.0.1"})

	def test_nothing_private_has_a_url(self):
		self.expect(self.get("/style.css"), 200)
		for path in ("/guardbee/env", "/../guardbee/env", "/%2e%2e/guardbee/env", "/auth/../../guardbee/env", "/env", "/.htaccess", "/guardbee/guardbee",
		    "/guardbee/state/jwt.key"):
			with self.subTest(path=path):
				answer = self.get(path)
				self.assertIn(answer.status, (400, 403, 404))
				self.assertNotIn(b"FRONTEND_URL", answer.body)

	def test_other_customers_read_nothing(self):
		self.register()
		found = as_user("find", self.server.web, "-name", "style.css", "-readable", user=OTHER)
		self.assertIn("style.css", found.stdout)
		found = as_user("find", self.server.private, "-readable", user=OTHER)
		self.assertEqual(found.stdout, "")
		for folder, folders, files in os.walk(self.server.private):
			for name in [*folders, *files, "."]:
				status = os.lstat(os.path.join(folder, name))
				with self.subTest(name=os.path.join(folder, name)):
					self.assertEqual((status.st_mode & 0o077, status.st_uid), (0, USER.pw_uid))

	def test_authorization_comes_by_htaccess(self):
		_, body = self.member()
		path = os.path.join(self.server.web, ".htaccess")
		whole = slurp(path).decode()
		self.alive(body["access_token"])
		try:
			self.server.write(path, whole.replace("SetEnvIf Authorization", "#"))
			self.refused(self.me(body["access_token"]), 401, "token_missing")
		finally:
			self.server.write(path, whole)
		self.alive(body["access_token"])

	def until(self, method, path, status):
		"""A process may answer one more request as what it was, where it has given up the right to become another."""
		answer = None

		def is_so():
			nonlocal answer
			answer = self.call(method, path)
			return answer.status == status
		self.assertTrue(wait_until(is_so, 40), f"not {status}: {self.story(answer)}")
		return answer

	def test_a_change_of_settings_counts(self):
		self.expect(self.post("/auth/register"), 400)
		try:
			self.server.set(REGISTRATION="closed")
			self.refused(self.until("POST", "/auth/register", 403), 403, "registration_closed")
		finally:
			self.server.set(REGISTRATION="open")
		self.until("POST", "/auth/register", 400)

	def test_unfit_settings_are_named(self):
		kept = slurp(os.path.join(self.server.private, "env")).decode()
		for name, value, told in (("FRONTEND_URL", "x", "FRONTEND_URL must be"), ("MAIL_TRANSPORT", "smtp\nSMTP_HOST=127.0.0.1", "use sendmail, or file"),
		    ("STATE", self.server.web + "/state", "is below DOCUMENT_ROOT")):
			with self.subTest(name=name):
				self.expect(self.get("/auth/revoke"), 405)
				try:
					self.server.set(**{name: value})
					self.assertTrue(wait_until(lambda: self.get("/auth/revoke").status in (500, 503), 40))
					self.assertTrue(wait_until(lambda: told in self.server.logs()), self.server.logs()[-2000:])
				finally:
					self.server.write(os.path.join(self.server.private, "env"), kept, 0o600)
				self.until("GET", "/auth/revoke", 405)
				shutil.rmtree(self.server.web + "/state", ignore_errors=True)

	def test_settings_that_others_may_read_are_refused(self):
		path = os.path.join(self.server.private, "env")
		try:
			os.chmod(path, 0o644)
			got = self.server.command("config")
			self.assertEqual((got.returncode, got.stdout), (78, ""))
			self.assertIn("of mode 0600", got.stderr)
		finally:
			os.chmod(path, 0o600)
		self.assertEqual(self.server.command("config").returncode, 0)


class Upgrade(HostCase):
	def test_under_load_nothing_is_answered_wrong(self):
		"""guardbee is replaced by mv, twice, while clients ask; in the end all processes are the new program."""
		_, body = self.member()
		stop, wrong, right = threading.Event(), [], [0]

		def ask(path, bearer, status):
			while not stop.is_set():
				answer = self.get(path, bearer=bearer)
				if answer.status != status:
					wrong.append((path, answer.status, answer.body[:200]))
				right[0] += 1
		threads = [threading.Thread(target=ask, args=job) for job in (("/auth/me", body["access_token"], 200), ("/auth/me", body["access_token"], 200),
		    ("/auth/verify", body["access_token"], 204), ("/auth/verify", None, 401), ("/login", None, 200))]
		for thread in threads:
			thread.start()
		try:
			self.assertTrue(wait_until(lambda: right[0] > 200, 60))
			for _ in range(2):
				before = os.stat(self.server.program).st_ino
				got = self.server.install()
				self.assertEqual(got.returncode, 0, got.stderr)
				self.assertNotEqual(os.stat(self.server.program).st_ino, before)
				asked = right[0]
				self.assertTrue(wait_until(lambda: right[0] > asked + 300, 60))
			self.assertTrue(wait_until(lambda: not self.old(), 30), self.old())
		finally:
			stop.set()
			for thread in threads:
				thread.join()
		self.assertEqual(wrong, [])
		self.assertEqual(self.server.command("user", "list").returncode, 0)

	def old(self):
		"""Those that are still what was replaced, idle ones too."""
		old = []
		for pid in self.server.running():
			with contextlib.suppress(OSError):
				if "(deleted)" in os.readlink(f"/proc/{pid}/exe"):
					old.append(pid)
		return old

	def restore(self, whole):
		with open(self.server.program + "~", "wb") as out:
			out.write(whole)
		os.chown(self.server.program + "~", USER.pw_uid, USER.pw_gid)
		os.chmod(self.server.program + "~", 0o700)
		os.rename(self.server.program + "~", self.server.program)

	def test_a_program_that_does_not_run_is_not_followed(self):
		self.expect(self.get("/auth/health"), 200)
		whole = slurp(self.server.program)
		for wrong, mode in ((whole[:-4096], 0o600), (b"no program", 0o700)):
			with self.subTest(mode=mode):
				try:
					with open(self.server.program + "~", "wb") as out:
						out.write(wrong)
					os.chown(self.server.program + "~", USER.pw_uid, USER.pw_gid)
					os.chmod(self.server.program + "~", mode)
					os.utime(self.server.program + "~", (1e9, 1e9))
					os.rename(self.server.program + "~", self.server.program)
					self.expect(self.get("/auth/health"), 200)
				finally:
					self.restore(whole)
		self.expect(self.get("/auth/health"), 200)


class Gate(HostCase):
	def test_a_folder_for_members(self):
		folder = os.path.join(self.server.web, "members")
		os.mkdir(folder)
		os.chown(folder, USER.pw_uid, USER.pw_gid)
		self.server.write(os.path.join(folder, "index.html"), "<p>for members</p>")
		self.server.write(os.path.join(folder, "show.cgi"), SHOW, 0o755)
		self.assertEqual(self.get("/members/").text(), "<p>for members</p>", "the control: open without the gate")
		gate = GATE.format(web=self.server.web) + "AddHandler cgi-script .cgi\n"
		self.server.write(os.path.join(folder, ".htaccess"), gate)
		email, body = self.member(groups="staff")
		stranger = self.get("/members/")
		self.assertEqual(stranger.status, 401)
		self.assertNotIn(b"for members", stranger.body)
		self.assertIn("<form", stranger.text())
		self.assertIn("/members/", stranger.text(), "the sign-in page leads back")
		self.assertNotIn(b"for members", self.get("/members/", bearer=body["access_token"] + "x").body)
		self.assertEqual(self.get("/members/", bearer=body["access_token"]).text(), "<p>for members</p>")
		shown = self.get("/members/show.cgi", bearer=body["access_token"], headers={"X-Auth-User": "admin", "X_Auth_User": "admin", "Remote-User": "admin"})
		self.assertIn(f"REMOTE_USER={email}\n", shown.text())
		self.assertNotIn("X_AUTH_USER", shown.text())

		# by cookie, as a browser comes
		jar = self.post("/auth/login", form={"email": email, "password": PASSWORD, "return": "/members/"}, headers={"Origin": self.server.origin})
		self.expect(jar, 303)
		self.assertEqual(jar.headers["Location"], self.server.origin + "/members/")
		cookie = {"__Host-gb_gate": jar.set_cookies()["__Host-gb_gate"][0]}
		self.assertEqual(self.get("/members/", cookies=cookie).text(), "<p>for members</p>")

		# a group
		for group, passes in (("staff", True), ("editors", False)):
			with self.subTest(group=group):
				self.server.write(os.path.join(folder, ".htaccess"), gate + f"SetEnvIf Request_URI ^ GATE_GROUP={group}\n")
				answer = self.get("/members/", bearer=body["access_token"])
				self.assertEqual(answer.body == b"<p>for members</p>", passes, self.story(answer))

		# a gate that cannot start
		self.server.write(os.path.join(folder, ".htaccess"), gate)
		self.assertEqual(self.get("/members/", bearer=body["access_token"]).status, 200)
		os.chmod(os.path.join(self.server.web, "auth", "verify"), 0o644)
		for pid, name in self.server.running().items():
			if name == "verify":
				tell(pid, signal.SIGKILL)
		answer = self.get("/members/", bearer=body["access_token"])
		self.assertGreaterEqual(answer.status, 400)
		self.assertNotIn(b"for members", answer.body)


class Installing(unittest.TestCase):
	def setUp(self):
		self.host = Host(True)
		self.addCleanup(shutil.rmtree, self.host.directory)
		self.host.unpack()

	def files(self):
		return sorted(os.listdir(self.host.web))

	def test_a_private_folder_in_the_web_space_is_refused(self):
		got = self.host.install(private=os.path.join(self.host.web, "private"))
		self.assertEqual((got.returncode, self.files()), (1, []))
		self.assertIn("lies in the web site", got.stderr)
		self.assertEqual(self.host.install().returncode, 0)

	def test_an_address_that_is_none_is_refused(self):
		for url in ("example.org", "https://", "https://a b", "https://x/$(id)"):
			with self.subTest(url=url):
				self.assertEqual((self.host.install(url=url).returncode, self.files()), (1, []))

	def test_files_of_others_are_kept(self):
		rules = "RewriteEngine On\nRewriteRule . /index.php [L]\n"
		self.host.write(os.path.join(self.host.web, ".htaccess"), rules)
		self.host.write(os.path.join(self.host.web, "index.html"), "mine")
		for _ in range(2):	# and the second time, as an upgrade
			got = self.host.install()
			self.assertEqual(got.returncode, 0, got.stderr)
			self.assertEqual(slurp(os.path.join(self.host.web, "index.html")), b"mine")
			text = slurp(os.path.join(self.host.web, ".htaccess")).decode()
			self.assertTrue(text.endswith(rules))
			self.assertEqual(text.count("guardbee: begin"), 1)
		settings = slurp(os.path.join(self.host.private, "env"))
		self.assertIn(b"FRONTEND_URL=" + self.host.origin.encode(), settings)
		self.assertFalse([name for name in self.files() if name.endswith("new")])

	def test_one_that_was_interrupted_can_be_run_again(self):
		self.assertEqual(self.host.install().returncode, 0)
		os.rename(os.path.join(self.host.private, "installed"), os.path.join(self.host.private, "installed.new"))
		got = self.host.install()
		self.assertEqual(got.returncode, 0, got.stderr)
		self.assertEqual(sorted(name for name in os.listdir(self.host.private) if "new" in name), [])

	def test_a_file_in_our_place_stops_it(self):
		self.host.write(os.path.join(self.host.web, "login"), "mine")
		got = self.host.install()
		self.assertEqual((got.returncode, self.files()), (1, ["login"]))
		self.assertIn("not ours", got.stderr)
		os.unlink(os.path.join(self.host.web, "login"))
		self.assertEqual(self.host.install().returncode, 0)


class ByFtp(HostCase):
	"""README.txt's steps with an FTP client: no shell, no script of ours has run, and all modes are the server's until set."""
	has_chmod = True

	@classmethod
	def prepare(cls):
		host = cls.server
		unpacked = os.path.join(host.directory, "unpacked")
		with tarfile.open(ARCHIVE) as archive:
			archive.extractall(unpacked)
		here = os.path.join(unpacked, "guardbee-shared-host")
		path = os.path.join(here, "guardbee", "env")
		text = slurp(path).decode().replace("https://example.org", host.origin).replace("noreply@example.org", "bee@example.net")
		with open(path, "w") as env:
			env.write(text + "MAIL_TRANSPORT=file\n")
		with cls.connected() as ftp:
			for name in ("guardbee", "public_html"):
				cls.upload(ftp, os.path.join(here, name), name)
			cls.refused_modes = [reply for name, mode in cls.modes() if not (reply := cls.chmod(ftp, name, mode)).startswith("200")]

	@classmethod
	@contextlib.contextmanager
	def connected(cls):
		"""An FTP server as hosts have it, where the customer has a name and a password of his own, and a client."""
		path = lambda name: os.path.join(cls.server.directory, name)
		hash = subprocess.run(["openssl", "passwd", "-6", "honey"], capture_output=True, text=True, check=True).stdout.strip()
		with open(path("ftp.passwd"), "w") as users:
			users.write(f"bee:{hash}:{USER.pw_uid}:{USER.pw_gid}::{cls.server.home}/./::::::::::::\n")
		subprocess.run(["pure-pw", "mkdb", path("ftp.pdb"), "-f", path("ftp.passwd")], check=True)
		port = free_port()
		server = subprocess.Popen(["/usr/sbin/pure-ftpd", f"--bind=127.0.0.1,{port}", "--login=puredb:" + path("ftp.pdb"), "--noanonymous", "--minuid=1",
		    "--umask=133:022", "--ipv4only", "--dontresolve", "--syslogfacility=none", "--chrooteveryone", "--pidfile=" + path("ftp.pid"),
		    *([] if cls.has_chmod else ["--nochmod"])], stdin=subprocess.DEVNULL, preexec_fn=harness.end_with_us)
		try:
			with ftplib.FTP(timeout=60) as ftp:
				assert wait_until(lambda: can_connect(ftp, port))
				ftp.login("bee", "honey")
				yield ftp
		finally:
			server.terminate()
			server.wait(30)

	@classmethod
	def upload(cls, ftp, local, remote):
		if os.path.isdir(local):
			with contextlib.suppress(ftplib.error_perm):	# public_html is there
				ftp.mkd(remote)
			for name in os.listdir(local):
				cls.upload(ftp, os.path.join(local, name), remote + "/" + name)
			return
		with open(local, "rb") as file:
			ftp.storbinary("STOR " + remote, file)

	@classmethod
	def modes(cls):
		"""README.txt, step 4."""
		web = cls.server.web
		programs = [name for name in os.listdir(web) if "." not in name and os.path.isfile(os.path.join(web, name))]
		programs += ["auth/" + name for name in os.listdir(os.path.join(web, "auth"))]
		return [("guardbee", "700"), ("guardbee/guardbee", "700"), ("guardbee/env", "600"), *(("public_html/" + name, "755") for name in programs)]

	@staticmethod
	def chmod(ftp, name, mode):
		try:
			return ftp.sendcmd(f"SITE CHMOD {mode} {name}")
		except ftplib.error_perm as error:
			return str(error)

	def test_from_the_upload_to_the_first_sign_in(self):
		self.assertEqual(self.refused_modes, [])
		self.serves()

	def serves(self):
		self.expect(self.get("/auth/health"), 200)
		self.expect(self.get("/register"), 200)
		email = self.email()
		headers = {"Origin": self.server.origin}
		self.expect(self.post("/auth/register", form={"email": email, "password": PASSWORD}, headers=headers), 303)
		signed_in = self.expect(self.post("/auth/login", form={"email": email, "password": PASSWORD}, headers=headers), 303)
		self.expect(self.get("/auth/me", cookies={"__Host-gb_gate": signed_in.set_cookies()["__Host-gb_gate"][0]}), 200)
		self.alive(self.login(email)["access_token"])
		self.assertEqual(self.get("/auth/login/").status, 404)
		self.assertEqual(os.stat(self.server.state).st_mode & 0o777, 0o700)


class ByFtpWithoutModes(ByFtp):
	"""A server that refuses SITE CHMOD: nothing runs and nothing is told until the modes are set by what else the host offers."""
	fastcgi, has_chmod = False, False

	def test_from_the_upload_to_the_first_sign_in(self):
		self.assertEqual(len(self.refused_modes), len(self.modes()))
		for path in ("/auth/health", "/auth/login", "/auth/jwks.json", "/login"):
			answer = self.get(path)
			self.assertIn(answer.status, (403, 500), path)
			self.assertNotIn(b"exec", answer.body)
		for name, mode in self.modes():		# the host's file manager
			os.chmod(os.path.join(self.server.home, name), int(mode, 8))
		self.serves()


def can_connect(ftp, port):
	try:
		return ftp.connect("127.0.0.1", port)
	except ConnectionRefusedError:
		return None


class OldSystem(unittest.TestCase):
	"""The program alone, where Linux has no system call that is younger than 4.18, and nothing of ours is installed."""
	FILTER = r'''
import ctypes, os, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
code = lambda op, jt, jf, k: struct.pack("HBBI", op, jt, jf, k)
program = code(0x20, 0, 0, 0) + code(0x35, 0, 1, 424) + code(0x06, 0, 0, 0x00050000 | 38) + code(0x06, 0, 0, 0x7fff0000)
buffer = ctypes.create_string_buffer(program)
filter = struct.pack("HxxxxxxQ", 4, ctypes.addressof(buffer))
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, ctypes.create_string_buffer(filter), 0, 0) == 0, ctypes.get_errno()
os.execv(sys.argv[1], sys.argv[1:])
'''

	def setUp(self):
		self.folder = tempfile.mkdtemp(prefix="guardbee")
		# a mail may still be on its way into it
		self.addCleanup(wait_until, lambda: shutil.rmtree(self.folder, ignore_errors=True) or not os.path.exists(self.folder))
		with tarfile.open(ARCHIVE) as archive:
			member = archive.extractfile("guardbee-shared-host/guardbee/guardbee")
			with open(os.path.join(self.folder, "guardbee"), "wb") as out:
				out.write(member.read())
		os.chmod(os.path.join(self.folder, "guardbee"), 0o700)
		path = os.path.join(self.folder, "env")
		with open(path, "w") as out:
			out.write("FRONTEND_URL=https://example.org\nMAIL_FROM=a@example.org\nMAIL_TRANSPORT=file\nARGON2_MEMORY_COST=7168\nARGON2_TIME_COST=1\n")
		os.chmod(path, 0o600)

	def call(self, name, body=""):
		request = {"GATEWAY_INTERFACE": "CGI/1.1", "REQUEST_METHOD": "POST" if body else "GET", "SCRIPT_NAME": "/auth/" + name,
		    "CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(body)), "REMOTE_ADDR": "127.0.0.1"}
		return subprocess.run([sys.executable, "-c", self.FILTER, os.path.join(self.folder, "guardbee"), "serve", name], env=request, input=body,
		    capture_output=True, text=True, timeout=60)

	def test_it_needs_nothing_new(self):
		got = subprocess.run([sys.executable, "-c", self.FILTER, sys.executable, "-c", "import os; os.pidfd_open(os.getpid())"],
		    capture_output=True, text=True)
		self.assertIn("Function not implemented", got.stderr, "the control: the filter is at work")
		self.assertIn("Status: 200", self.call("health").stdout)
		answer = self.call("register", '{"email":"bee@example.org","password":"%s"}' % PASSWORD)
		self.assertIn("Status: 201", answer.stdout, answer.stderr)
		self.assertTrue(wait_until(lambda: [name for name in os.listdir(os.path.join(self.folder, "state", "mail")) if name.endswith(".eml")], 30),
		    "mail goes out")

	def test_it_loads_no_library(self):
		head = subprocess.run(["readelf", "-ld", os.path.join(self.folder, "guardbee")], capture_output=True, text=True).stdout
		self.assertNotIn("INTERP", head)
		self.assertNotIn("NEEDED", head)

	def test_key_pairs_are_in_it(self):
		for algorithm in ("RS256", "ES256", "EdDSA"):
			with self.subTest(algorithm=algorithm):
				with open(os.path.join(self.folder, "env"), "a") as out:
					out.write(f"APP_ENV=testing\nALGORITHM={algorithm}\nSTATE={self.folder}/{algorithm}\n")
				answer = self.call("register", '{"email":"bee@example.org","password":"%s"}' % PASSWORD)
				self.assertIn("Status: 201", answer.stdout, answer.stderr)

	def test_a_strangers_words_are_no_command(self):
		"""A query without = reaches a CGI program as its arguments."""
		got = subprocess.run([os.path.join(self.folder, "guardbee"), "user", "list"], env={"GATEWAY_INTERFACE": "CGI/1.1"}, capture_output=True, text=True)
		self.assertEqual((got.returncode, got.stdout), (64, ""))
		got = subprocess.run([os.path.join(self.folder, "guardbee"), "user", "list"], env={}, capture_output=True, text=True)
		self.assertEqual(got.returncode, 0, got.stderr)


if __name__ == "__main__":
	harness.main()
