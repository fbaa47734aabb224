# SPDX-License-Identifier: MIT
"""
guardbee doctor: each check with its fault planted, and the control beside it. Where a row names a line to paste, the line is
pasted, and the fault is gone. The part with a URL asks real servers: lighttpd, Apache, and a proxy before lighttpd.
"""
import http.server
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import unittest
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "http"))
from harness import BUILD, KEY, SETTINGS, Case, Server, free_port, slurp, wait_until
import test_shared_host
from test_shared_host import Host

COMMAND = os.path.join(BUILD, "bin", "guardbee")
IS_ROOT = os.geteuid() == 0
# What a full disk and a clock of next year are to a program.
SHIM = r"""
#include <string.h>
#include <time.h>
#include <sys/statvfs.h>
int statvfs(const char *path, struct statvfs *disk)
{
	(void)path;
	memset(disk, 0, sizeof *disk);
	disk->f_frsize = 1 << 20;
	disk->f_bavail = FREE;
	return 0;
}
time_t time(time_t *at)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	if (at != NULL)
		*at = now.tv_sec + LATER;
	return now.tv_sec + LATER;
}
"""


def rows(got):
	"""{check: row}; of several rows of one check the worst."""
	found = {}
	for row in json.loads(got.stdout):
		if row["check"] not in found or row["result"] == "fault":
			found[row["check"]] = row
	return found


class DoctorCase(unittest.TestCase):
	longMessage = True

	def expect(self, got, check, result, said=""):
		row = rows(got).get(check, {"result": None, "found": got.stdout + got.stderr})
		self.assertEqual(row["result"], result, row)
		self.assertIn(said, row["found"])
		self.assertEqual(got.returncode, 1 if any(row["result"] == "fault" for row in rows(got).values()) else 0)
		return row


class Here(DoctorCase):
	"""Without a server."""
	def setUp(self):
		self.folder = tempfile.mkdtemp(prefix="guardbee")
		self.addCleanup(shutil.rmtree, self.folder)
		os.chmod(self.folder, 0o755)
		self.state = os.path.join(self.folder, "state")
		os.mkdir(self.state, 0o700)
		self.settings = {**SETTINGS, "STATE": self.state, "MAIL_FROM": "a@example.org", "FRONTEND_URL": "https://example.org"}

	def command(self, *arguments, **settings):
		environment = {"PATH": os.environ["PATH"], **self.settings, **settings}
		return subprocess.run([COMMAND, *arguments], env=environment, capture_output=True, text=True, timeout=60, input="")

	def doctor(self, *arguments, **settings):
		return self.command("doctor", "--json", *arguments, **settings)

	def test_all_is_well(self):
		got = self.doctor()
		self.assertEqual((got.returncode, got.stderr), (0, ""), got.stdout)
		self.assertEqual({row["result"] for row in json.loads(got.stdout)} - {"note"}, {"ok"})
		table = self.command("doctor", REGISTRATION="open", GATE_REQUIRES="none")
		self.assertEqual(table.returncode, 1)
		self.assertRegex(table.stdout, r"(?m)^CHECK +RESULT +FOUND$")
		self.assertRegex(table.stdout, r"(?m)^gate +fault +anyone may register.*\n    among the settings.*\n        GATE_REQUIRES=verified$")

	def test_it_takes_one_address_and_no_more(self):
		self.assertEqual(self.command("doctor", "http://a", "http://b").returncode, 64)
		for url in ("example.org", "file:///etc/passwd", 'http://a"\nheader = "x', "http://", "http://a b"):
			with self.subTest(url=url):
				self.expect(self.doctor(url), "url", "fault", "no address that begins with")

	def test_settings(self):
		self.expect(self.doctor(COOKIE_MODE="banana"), "settings", "fault", "COOKIE_MODE must be one of")
		self.expect(self.doctor(APP_ENV="production", RATE_LIMITS="on"), "settings", "ok")
		self.assertEqual(self.expect(self.doctor(), "settings", "note")["paste"], "APP_ENV=production")

	def test_environment_file(self):
		path = os.path.join(self.folder, "env")
		with open(path, "w") as out:
			out.write(f"JWT_KEY={KEY}\n")
		os.chmod(path, 0o640)
		row = self.expect(self.doctor("--env", path), "environment", "fault", "640")
		subprocess.run(row["paste"], shell=True, check=True)
		self.expect(self.doctor("--env", path), "environment", "ok")

	def test_state(self):
		self.expect(self.doctor(STATE=self.folder + "/none"), "state", "fault", "No such file")
		self.expect(self.doctor(), "state", "ok")

	def test_modes(self):
		self.assertEqual(self.command("config", "check").returncode, 0)
		os.chmod(os.path.join(self.state, "store", "store.gdbm"), 0o644)
		row = self.expect(self.doctor(), "modes", "fault", "store.gdbm is open to group or others (644)")
		subprocess.run(row["paste"], shell=True, check=True)
		self.expect(self.doctor(), "modes", "ok")

	@unittest.skipUnless(IS_ROOT, "another user's file is root's to make")
	def test_owner(self):
		self.assertEqual(self.command("config", "check").returncode, 0)
		os.chown(os.path.join(self.state, "secret"), 1234, 1234)
		row = self.expect(self.doctor(), "modes", "fault", "secret belongs to another user")
		subprocess.run(row["paste"], shell=True, check=True)
		self.expect(self.doctor(), "modes", "ok")

	def test_place(self):
		for folder, result in (("public_html", "fault"), ("www", "note"), ("public_html2", "ok")):
			with self.subTest(folder=folder):
				state = os.path.join(self.folder, folder, "state")
				os.makedirs(state, 0o700)
				self.expect(self.doctor(STATE=state), "place", result)
		os.symlink(os.path.join(self.folder, "public_html"), os.path.join(self.folder, "elsewhere"))
		self.expect(self.doctor(STATE=self.folder + "/elsewhere/state"), "place", "fault", "/public_html/state")

	@unittest.skipUnless(IS_ROOT, "another user's home is root's to make")
	def test_shared_user(self):
		home = os.path.join(self.folder, "home")
		os.makedirs(os.path.join(home, "state"), 0o700)
		os.chmod(home, 0o755)
		os.chown(home, 1234, 1234)
		self.expect(self.doctor(STATE=home + "/state"), "user", "fault", "user 1234's, but the programs run as user 0")
		os.chown(home, 0, 0)
		self.expect(self.doctor(STATE=home + "/state"), "user", "ok")

	def shim(self, free=1000, later=0):
		path = os.path.join(self.folder, f"shim-{free}-{later}.so")
		subprocess.run(["cc", "-shared", "-fPIC", f"-DFREE={free}", f"-DLATER={later}", "-o", path, "-x", "c", "-"], input=SHIM, text=True, check=True)
		return path

	@unittest.skipIf("sanitize" in BUILD, "a sanitizer wants to be the first library")
	def test_disk(self):
		self.expect(self.doctor(LD_PRELOAD=self.shim(free=63)), "disk", "fault", "63 MiB")
		self.expect(self.doctor(LD_PRELOAD=self.shim(free=64)), "disk", "ok", "64 MiB")

	@unittest.skipIf("sanitize" in BUILD, "a sanitizer wants to be the first library")
	def test_clock_of_the_store(self):
		def add(name, **more):
			got = subprocess.run([COMMAND, "user", "add", name + "@example.org"], env={**self.settings, **more}, text=True,
			    input="walnut-harbour-seven-lanterns\n", capture_output=True)
			self.assertEqual(got.returncode, 0, got.stderr)
		add("bee")
		self.expect(self.doctor(), "clock", "ok")
		add("wasp", LD_PRELOAD=self.shim(later=400 * 86400))
		self.expect(self.doctor(), "clock", "note", "the clock jumped")

	def test_store(self):
		self.expect(self.doctor(), "store, keys", "ok")
		self.expect(self.doctor(DATABASE_URL="gdbm:/dev/null/store"), "store, keys", "fault", "/dev/null")

	def test_keys(self):
		self.expect(self.doctor(APP_ENV="production", RATE_LIMITS="on", JWT_KEY="short"), "store, keys", "fault", "JWT_KEY")

	def test_mail(self):
		mail = {"MAIL_TRANSPORT": "sendmail", "SENDMAIL": self.folder + "/sendmail"}
		self.expect(self.doctor(**mail), "mail", "fault", "No such file")
		with open(self.folder + "/sendmail", "w"):
			os.chmod(self.folder + "/sendmail", 0o755)
		self.expect(self.doctor(**mail), "mail", "ok")
		self.expect(self.doctor(MAIL_TRANSPORT="file", APP_ENV="production", RATE_LIMITS="on"), "mail", "fault", "nobody gets one")
		self.expect(self.doctor(MAIL_TRANSPORT="file"), "mail", "ok")

	def test_mail_by_smtp(self):
		mail = {"MAIL_TRANSPORT": "smtp", "SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(free_port())}
		self.expect(self.doctor(**mail), "mail", "fault", "refused")
		with socket.create_server(("127.0.0.1", 0)) as server:
			self.expect(self.doctor(**{**mail, "SMTP_PORT": str(server.getsockname()[1])}), "mail", "ok")

	def test_sockets(self):
		run = tempfile.mkdtemp(prefix="guardbee", dir="/tmp")
		self.addCleanup(shutil.rmtree, run)
		os.chmod(run, 0o755)
		with socket.socket(socket.AF_UNIX) as server:
			server.bind(run + "/verify-0")
			server.listen()
			os.chmod(run + "/verify-0", 0o777)
			row = self.expect(self.doctor(), "sockets", "fault", run + "/verify-0")
			subprocess.run(row["paste"], shell=True, check=True)
			self.expect(self.doctor(), "sockets", "ok")
			os.chmod(run, 0o755)
			os.chmod(run + "/verify-0", 0o660)
			self.expect(self.doctor(), "sockets", "ok")

	def test_gate(self):
		for registration, requires, result in (("open", "none", "fault"), ("verify", "none", "fault"), ("open", "verified", "note"), ("closed", "none", "ok")):
			with self.subTest(registration=registration, requires=requires):
				self.expect(self.doctor(REGISTRATION=registration, GATE_REQUIRES=requires), "gate", result)

	def test_no_answer(self):
		self.expect(self.doctor(f"http://127.0.0.1:{free_port()}"), "url", "fault", "onnect")

	def test_without_curl(self):
		self.assertEqual(self.expect(self.doctor("http://127.0.0.1:1", PATH=self.folder), "url", "fault", "curl")["paste"], "apt-get install curl")


class Proxy(http.server.ThreadingHTTPServer):
	"""A proxy before the server, as far as a site may have a bad one."""
	daemon_threads = True

	def __init__(self, target, certificate=None, drop=(), add=(), date=None):
		class Handler(http.server.BaseHTTPRequestHandler):
			def do(self):
				body = self.rfile.read(int(self.headers.get("Content-Length") or 0)) or None
				headers = {name: value for name, value in self.headers.items() if name.lower() not in drop}
				headers.update({name: value.replace("{old}", self.headers.get(name, "")) for name, value in add})
				request = urllib.request.Request(target + self.path, body, headers, method=self.command)
				try:
					answer = urllib.request.urlopen(request, timeout=30)
				except urllib.error.HTTPError as error:
					answer = error
				data = answer.read()
				self.send_response_only(answer.status)
				for name, value in answer.headers.items():
					if name.lower() not in ("transfer-encoding", "connection", "content-length"):
						self.send_header(name, date if name.lower() == "date" and date else value)
				self.send_header("Content-Length", str(len(data)))
				self.end_headers()
				self.wfile.write(data)
			do_GET = do_POST = do

			def log_message(self, *words):
				pass
		super().__init__(("127.0.0.1", 0), Handler)
		if certificate:
			context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
			context.load_cert_chain(certificate)
			self.socket = context.wrap_socket(self.socket, server_side=True)
		self.url = f"http{'s' if certificate else ''}://127.0.0.1:{self.server_address[1]}"
		self.thread = threading.Thread(target=self.serve_forever)

	def __enter__(self):
		self.thread.start()
		return self

	def __exit__(self, *words):
		self.shutdown()
		self.thread.join()
		self.server_close()


class There(DoctorCase):
	"""lighttpd, alone or behind a proxy."""
	def server(self, settings=None, **options):
		server = Server(settings or {}, only=("health", "login"), **options).start()
		self.addCleanup(lambda: self.assertEqual(server.stop(), []))
		return server

	def doctor(self, server, url=None, **settings):
		environment = {**server.environment(), "PATH": os.environ["PATH"], **settings}
		return subprocess.run([COMMAND, "doctor", "--json", url or server.origin], env=environment, capture_output=True, text=True, timeout=120)

	def test_all_is_well(self):
		server = self.server()
		got = self.doctor(server)
		found = rows(got)
		for check in ("url", "authorization", "address", "mode", "web space", "frontend", "body", "urls", "server clock"):
			self.expect(got, check, "ok")
		self.assertEqual(found["mode"]["found"], "FastCGI")
		self.assertEqual([name for name in os.listdir(server.state) if name.startswith("probe")], [])

	def test_a_ring_in_the_web_space(self):
		server = self.server(extra='$HTTP["url"] =~ "^/auth/" { server.document-root = "{d}/site" }')
		for folder, result, found in (("site/ring", "fault", "JWT_KEYS_DIR is below"), ("ring", "ok", "outside")):
			ring = os.path.join(server.directory, folder)
			os.makedirs(ring, 0o700)
			subprocess.run([COMMAND, "key", "new"], env={**server.environment(), "JWT_KEYS_DIR": ring}, check=True, capture_output=True, timeout=30)
			row = self.expect(self.doctor(server, JWT_KEYS_DIR=ring), "web space", result, found)
			self.assertEqual(row["paste"], "JWT_KEYS_DIR=/a/place/outside" if result == "fault" else None)

	def test_plain_cgi(self):
		self.expect(self.doctor(self.server(mode="cgi")), "mode", "note", "plain CGI")

	def test_settings_in_requests(self):
		self.expect(self.doctor(self.server(parameters=True)), "source", "note", "SetEnv")

	def test_urls_are_prefixes(self):
		server = self.server(exact=False)
		self.assertIn('$HTTP["url"] ==', self.expect(self.doctor(server), "urls", "fault", "/auth/healthX is not 404 but 200")["paste"])

	def test_small_bodies(self):
		server = self.server(extra="server.max-request-size = 4")
		self.expect(self.doctor(server), "body", "fault", "status 413")

	def test_another_site(self):
		server = self.server()
		self.expect(self.doctor(server, server.origin + "/nowhere"), "url", "fault", "status 404, not guardbee's")
		self.assertEqual(self.expect(self.doctor(server, FRONTEND_URL="http://127.0.0.1:1"), "frontend", "fault")["paste"], "FRONTEND_URL=" + server.origin)

	def test_another_state(self):
		server = self.server()
		other = os.path.join(server.directory, "other")
		os.mkdir(other, 0o700)
		self.expect(self.doctor(server, STATE=other), "seen", "fault", "another STATE")
		self.assertEqual([name for name in os.listdir(other) if name.startswith("probe")], [])

	def test_not_configured(self):
		server = self.server(extra='$HTTP["url"] =~ "^/auth/" { server.document-root = "{d}" }')
		self.expect(self.doctor(server), "url", "fault", "not configured")

	def test_a_claimed_address(self):
		server = self.server({"TRUSTED_PROXIES": "127.0.0.1"})
		self.expect(self.doctor(server), "address", "fault", "chooses the address")

	def test_behind_a_proxy(self):
		server = self.server()
		with Proxy(server.origin, add=[("X-Forwarded-For", "{old}, 127.0.0.1")]) as proxy:
			self.expect(self.doctor(server, proxy.url), "address", "note", "both this machine")
		with Proxy(server.origin, add=[("X-Forwarded-For", "{old}, 198.51.100.7")]) as proxy:
			row = self.expect(self.doctor(server, proxy.url), "address", "fault", "all clients count as the proxy 127.0.0.1")
			name, value = row["paste"].split("=")
			server.settings[name] = value
			server.restart()
			self.expect(self.doctor(server, proxy.url), "address", "ok", "198.51.100.7")
		with Proxy(server.origin, drop=("authorization",)) as proxy:
			self.expect(self.doctor(server, proxy.url), "authorization", "fault", "does not arrive")
		with Proxy(server.origin, add=[("Authorization", "Bearer other")]) as proxy:
			self.expect(self.doctor(server, proxy.url), "authorization", "fault", "arrives changed")
		with Proxy(server.origin, date="Tue, 24 Nov 2020 12:00:00 GMT") as proxy:
			self.expect(self.doctor(server, proxy.url), "server clock", "fault", "off ours")
		with Proxy(server.origin) as proxy:
			got = self.doctor(server, proxy.url)
			self.expect(got, "authorization", "ok")
			self.expect(got, "server clock", "ok")

	def test_https(self):
		folder = tempfile.mkdtemp(prefix="guardbee")
		self.addCleanup(shutil.rmtree, folder)
		path = os.path.join(folder, "both.pem")
		subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=127.0.0.1",
		    "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", path, "-out", path + ".crt"], check=True, capture_output=True)
		with open(path, "a") as out:
			out.write(slurp(path + ".crt").decode())
		trust = {"CURL_CA_BUNDLE": path + ".crt"}
		server = self.server()
		with Proxy(server.origin, path, add=[("X-Forwarded-Proto", "https")]) as proxy:
			self.assertIn("extforward", self.expect(self.doctor(server, proxy.url, **trust), "https", "fault", "not told")["paste"])
			self.expect(self.doctor(server, proxy.url), "url", "fault", "certificate")
		trusting = self.server(extra='server.modules += ( "mod_extforward" )\nextforward.forwarder = ( "127.0.0.1" => "trust" )')
		with Proxy(trusting.origin, path, add=[("X-Forwarded-Proto", "https"), ("X-Forwarded-For", "{old}, 198.51.100.7")]) as proxy:
			got = self.doctor(trusting, proxy.url, **trust)
			self.expect(got, "https", "ok")
			self.expect(got, "address", "ok", "198.51.100.7")


class Strangers(Case):
	"""What health tells the operator, it tells nobody else."""
	options = {"only": ("health",)}

	def ask(self, secret):
		answer = self.get("/auth/health", headers={"X-Guardbee-Probe": secret})
		self.expect(answer, 200)
		return answer.body, sorted(name for name, _ in answer.headers.items() if name != "Date")

	def seen(self):
		return os.path.exists(os.path.join(self.server.state, "probe.seen"))

	def write(self, secret, mode=0o600, age=0):
		path = os.path.join(self.server.state, "probe")
		with open(path, "w") as out:
			out.write(secret)
		os.chmod(path, mode)
		status = os.stat(path)
		os.utime(path, (status.st_atime - age, status.st_mtime - age))

	def test_only_the_secret_counts_once_and_not_for_long(self):
		plain, secret = self.ask(""), "ab" * 32
		for sent, told in (("", None), (secret, None), ("cd" * 32, secret), (secret[:-1], secret), (secret + "a", secret), (secret, secret[:-2] + "cd")):
			with self.subTest(sent=sent, told=told):
				if told:
					self.write(told)
				self.assertEqual(self.ask(sent), plain)
				self.assertFalse(self.seen())
		self.write(secret, age=70)
		self.assertEqual(self.ask(secret), plain)
		self.write(secret, mode=0o644)
		self.assertEqual(self.ask(secret), plain)
		self.assertFalse(self.seen())

		self.write(secret)
		self.assertEqual(self.ask(secret), plain, "the control: seen, and answered as ever")
		self.assertTrue(self.seen())
		self.assertEqual(os.stat(os.path.join(self.server.state, "probe.seen")).st_mode & 0o777, 0o600)
		os.unlink(os.path.join(self.server.state, "probe.seen"))
		self.assertEqual(self.ask(secret), plain, "once")
		self.assertFalse(self.seen())


@unittest.skipUnless(IS_ROOT, "suexec must be started by root")
class SharedHost(DoctorCase):
	"""Apache without CGIPassAuth, on a shared host: by the static program, as the customer runs it."""
	def test_authorization(self):
		test_shared_host.setUpModule()
		host = Host(True)
		self.addCleanup(lambda: self.assertEqual(host.stop(), []))
		host.unpack()
		self.assertEqual(host.install().returncode, 0)
		host.set(MAIL_TRANSPORT="file")
		host.start()
		path = os.path.join(host.web, ".htaccess")
		whole = slurp(path).decode()
		host.write(path, whole.replace("SetEnvIf Authorization", "#"))
		row = self.expect(host.command("doctor", "--json", host.origin), "authorization", "fault", "does not arrive")
		self.assertIn(".htaccess", row["where"])
		host.write(path, whole.replace("SetEnvIf Authorization", "#") + row["paste"] + "\n")
		got = host.command("doctor", "--json", host.origin)
		for check in ("authorization", "address", "mode", "web space", "frontend", "body", "urls", "user", "modes", "store, keys"):
			self.expect(got, check, "ok")
		os.chmod(host.private + "/state/jwt.key", 0o640)
		self.expect(host.command("doctor", "--json"), "modes", "fault", "jwt.key")


if __name__ == "__main__":
	unittest.main()
