# SPDX-License-Identifier: MIT
"""
A real lighttpd with the real executables, one for each test class, and a small client.

	BUILD	where the executables are: BUILD/cgi-bin, BUILD/bin (default: build)

Every server has a directory of its own (STATE, sockets, logs), a free port, and
ends with its class: by pid, leaving no process, no sanitizer's report and none of the secrets that
went over the wire in any log.
"""
import atexit
import base64
import contextlib
import ctypes
import hashlib
import hmac
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.parse

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, os.environ.get("BUILD", "build"))
LIGHTTPD = shutil.which("lighttpd", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")

KEY = "6a1f0c9e5b7d482396e0f4a8c2d1b3e56a1f0c9e5b7d482396e0f4a8c2d1b3e5"
PASSWORD = "walnut-harbour-seven-lanterns"

# The cheapest settings the contract allows, so that a suite is quick; a class says what it changes.
SETTINGS = {
	"APP_ENV": "testing",
	"JWT_KEY": KEY,
	"RATE_LIMITS": "off",
	"ARGON2_MEMORY_COST": "7168",
	"ARGON2_TIME_COST": "1",
	"HASH_SLOTS": "4",
}
NEVER_PARAMETERS = ("SENDMAIL", "APP_ENV", "RATE_LIMITS", "TRUSTED_PROXIES", "STATE", "DATABASE_URL")
SANITIZER_OPTIONS = ("ASAN_OPTIONS", "LSAN_OPTIONS", "UBSAN_OPTIONS")
SANITIZER_REPORT = re.compile(r"ERROR: \w+Sanitizer|runtime error:")

PAGES = ("/login", "/register", "/forgot-password", "/account")
WITH_PAGE = ("reset-password", "verify-email", "change-email")
SECRET_FIELDS = ("password", "current_password", "new_password", "token", "refresh_token", "access_token")


def urls_of(name):
	"""The URLs an executable answers."""
	if name == "page":
		return PAGES
	if name == "jwks":
		return ("/auth/jwks.json",)
	return ("/auth/" + name, "/" + name) if name in WITH_PAGE else ("/auth/" + name,)


def executables():
	folder = os.path.join(BUILD, "cgi-bin")
	return sorted(name[:-5] for name in os.listdir(folder) if name.endswith(".fcgi"))


def executable(name):
	return os.path.join(BUILD, "cgi-bin", name + ".fcgi")


def free_port():
	with socket.socket() as probe:
		probe.bind(("127.0.0.1", 0))
		return probe.getsockname()[1]


def slurp(path):
	with open(path, "rb") as file:
		return file.read()


def processes():
	"""Pids of every process but ourselves."""
	return [int(pid) for pid in os.listdir("/proc") if pid.isdigit() and int(pid) != os.getpid()]


def arguments_of(pid):
	"""None if it has ended. Readable also where a guarded process shows nothing else to others than root."""
	try:
		return slurp(f"/proc/{pid}/cmdline").decode(errors="replace").split("\0")
	except OSError:
		return None


def parent_of(pid):
	try:
		return int(slurp(f"/proc/{pid}/stat").rsplit(b")", 1)[1].split()[1])
	except OSError:
		return None


def mentions(pid, mark):
	"""True if the process names it: in its environment, its arguments or an open file."""
	with contextlib.suppress(OSError):
		return any(mark in slurp(f"/proc/{pid}/{part}") for part in ("cmdline", "environ")) or any(
		    mark in os.readlink(f"/proc/{pid}/fd/{fd}").encode() for fd in os.listdir(f"/proc/{pid}/fd"))
	return False


def tell(pid, number):
	"""Sends a signal. A process that is gone already needs none."""
	with contextlib.suppress(ProcessLookupError):
		os.kill(pid, number)


def signals_of(pid):
	"""What a process does with signals, for a report of one that does not end."""
	with contextlib.suppress(OSError):
		return "".join(" " + line.replace("\t", "") for line in slurp(f"/proc/{pid}/status").decode().splitlines()
		    if line.startswith(("State", "Sig", "ShdPnd")))
	return ""


def wait_until(condition, seconds=10.0):
	"""What the condition gives, as soon as it holds; False when time is up."""
	end = time.monotonic() + seconds
	while not (found := condition()):
		if time.monotonic() > end:
			return False
		time.sleep(0.05)
	return found


# A suite that is told to end unwinds, and ends its servers.
signal.signal(signal.SIGTERM, signal.default_int_handler)
PRCTL, PR_SET_PDEATHSIG = ctypes.CDLL(None).prctl, 1


def end_with_us():
	"""preexec_fn of a server: it is told to end also where we are killed and can end nothing."""
	PRCTL(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


class Answer:
	def __init__(self, response):
		self.status = response.status
		self.headers = response.headers
		self.body = response.read()

	def json(self):
		return json.loads(self.body)

	def text(self):
		return self.body.decode()

	def set_cookies(self):
		"""{name: (value, set of attributes, lower case)}"""
		jar = {}
		for line in self.headers.get_all("Set-Cookie") or []:
			first, *attributes = [part.strip() for part in line.split(";")]
			name, value = first.split("=", 1)
			jar[name] = (value, {attribute.lower() for attribute in attributes})
		return jar


class Server:
	"""
	mode		"fastcgi" or "cgi"
	parameters	settings come as request parameters, as .htaccess SetEnv gives them, not by the environment
	exact		False: URLs are prefixes, so that PATH_INFO reaches the programs
	processes	of each executable
	extra		lines at the end of lighttpd's configuration; {d} is the directory, {bin} the executables'
	seconds		that a client waits for an answer
	"""
	seconds = 30

	def __init__(self, settings, mode="fastcgi", parameters=False, exact=True, processes=2, extra="", only=None):
		self.directory = tempfile.mkdtemp(prefix="gb")
		self.port = free_port()
		self.origin = f"http://127.0.0.1:{self.port}"
		self.state = os.path.join(self.directory, "state")
		self.mode, self.parameters, self.exact, self.processes, self.extra = mode, parameters, exact, processes, extra
		self.only = only
		self.settings = {"STATE": self.state, "FRONTEND_URL": self.origin, **SETTINGS}
		for name, value in settings.items():
			if value is None:
				self.settings.pop(name, None)
			else:
				self.settings[name] = value.replace("{origin}", self.origin).replace("{d}", self.directory)
		os.mkdir(self.state, 0o700)
		self.process = None
		self.secrets = set()
		self.lock = threading.Lock()
		atexit.register(self.stop)	# an interrupt ends a test class without its tearDownClass

	# --- configuration -------------------------------------------------------------------------------------

	def block(self, name):
		urls = urls_of(name)
		condition = '$HTTP["url"] =~ "^(%s)%s"' % ("|".join(map(re.escape, urls)), "$" if self.exact else "")
		if self.mode == "cgi":
			aliases = ", ".join(f'"{url}" => "{executable(name)}"' for url in urls)
			return f'{condition} {{ alias.url = ( {aliases} ) cgi.assign = ( ".fcgi" => "" ) }}\n'
		hosts = ", ".join('"%s" => (( %s ))' % (url, self.backend(name, str(n))) for n, url in enumerate(urls))
		if self.exact:
			hosts = '"" => (( %s ))' % self.backend(name, "")
		return f"{condition} {{ fastcgi.server = ( {hosts} ) }}\n"

	def backend(self, name, suffix):
		names = [setting for setting in self.settings if not self.parameters or setting in NEVER_PARAMETERS]
		copied = ", ".join(f'"{setting}"' for setting in [*names, *SANITIZER_OPTIONS, "PATH"])
		return (f'"bin-path" => "{executable(name)}", "socket" => "{self.directory}/{name}{suffix}", '
		    f'"max-procs" => {self.processes}, "check-local" => "disable", "bin-copy-environment" => ( {copied} )')

	def configuration(self):
		names = [setting for setting in self.settings if self.mode == "cgi" or
		    (self.parameters and setting not in NEVER_PARAMETERS)]
		environment = ", ".join(f'"{name}" => env.{name}' for name in names)
		sanitizer = ", ".join(f'"{name}" => env.{name}' for name in SANITIZER_OPTIONS if name in os.environ)
		if self.mode == "cgi" and sanitizer:
			environment += ", " + sanitizer
		lines = [
			'server.modules = ( "mod_setenv", "mod_alias", "mod_fastcgi", "mod_cgi" )',
			'server.bind = "127.0.0.1"',
			f"server.port = {self.port}",
			f'server.document-root = "{ROOT}/www"',
			f'server.errorlog = "{self.directory}/error.log"',
			f'server.breakagelog = "{self.directory}/breakage.log"',
			f'server.upload-dirs = ( "{self.directory}" )',
			'index-file.names = ( "index.html" )',
			'mimetype.assign = ( ".html" => "text/html; charset=utf-8", ".css" => "text/css", ".js" => "text/javascript" )',
			f"setenv.set-environment = ( {environment} )" if environment else "",
		]
		blocks = [self.block(name) for name in executables() if self.only is None or name in self.only]
		extra = self.extra.replace("{d}", self.directory).replace("{bin}", os.path.join(BUILD, "cgi-bin"))
		extra = extra.replace("{copy}", self.backend("verify", "-gate"))
		return "\n".join(lines) + "\n" + "".join(blocks) + extra + "\n"

	# --- life ----------------------------------------------------------------------------------------------

	def environment(self):
		passed = {name: os.environ[name] for name in (*SANITIZER_OPTIONS, "PATH") if name in os.environ}
		return {**passed, **self.settings}

	def start(self):
		path = os.path.join(self.directory, "lighttpd.conf")
		with open(path, "w") as out:
			out.write(self.configuration())
		with open(os.path.join(self.directory, "stderr.log"), "ab") as errors:
			self.process = subprocess.Popen([LIGHTTPD, "-D", "-f", path], env=self.environment(),
			    stdin=subprocess.DEVNULL, stdout=errors, stderr=errors, preexec_fn=end_with_us)
		if not wait_until(lambda: self.listens() or self.process.poll() is not None) or self.process.poll() is not None:
			self.process.kill()
			self.process.wait()
			raise RuntimeError("lighttpd does not start:\n" + self.logs())
		return self

	def listens(self):
		with socket.socket() as probe:
			return probe.connect_ex(("127.0.0.1", self.port)) == 0

	def halt(self):
		"""Ends lighttpd and waits until nothing of it is left, a mail that is being sent included; returns pids that stay."""
		family, code = {}, None
		if self.process is not None:
			# until exec a child has lighttpd's own handler of SIGTERM, and would not hear what it is told
			children = lambda: {pid: arguments_of(pid) for pid in processes() if parent_of(pid) == self.process.pid}
			wait_until(lambda: LIGHTTPD not in [(words or [""])[0] for words in children().values()])
			family = children()
			self.process.send_signal(signal.SIGINT)
			try:
				self.process.wait(10)
			except subprocess.TimeoutExpired:
				self.process.kill()
				self.process.wait()
			code, self.process = self.process.returncode, None

		def left():
			return [pid for pid in processes() if family.get(pid) == (arguments_of(pid) or "") or
			    mentions(pid, self.directory.encode())]
		if not wait_until(lambda: not left(), 5):
			# ours end at once when they are told: these were not
			for pid in set(left()) & set(family):
				print(f"note: lighttpd ended with {code} and left {pid} {arguments_of(pid)}{signals_of(pid)}", file=sys.stderr)
				tell(pid, signal.SIGTERM)
			wait_until(lambda: not left(), 15)
		return left()

	def restart(self):
		left = self.halt()
		if left:
			raise AssertionError(f"processes are left: {left}")
		return self.start()

	def stop(self):
		"""Ends everything and says what is wrong with what was left behind: a list of lines."""
		left = self.halt()
		faults = [f"process {pid} is left: {arguments_of(pid)}" for pid in left]
		for pid in left:
			tell(pid, signal.SIGKILL)
		logs = self.logs()
		if SANITIZER_REPORT.search(logs):
			faults.append("a sanitizer reports:\n" + logs[SANITIZER_REPORT.search(logs).start():][:4000])
		faults += [f"a secret is in the log: {secret[:24]}..." for secret in self.secrets if secret in logs]
		shutil.rmtree(self.directory, ignore_errors=True)
		atexit.unregister(self.stop)
		return faults

	def logs(self):
		text = ""
		for name in ("error.log", "breakage.log", "stderr.log"):
			path = os.path.join(self.directory, name)
			if os.path.exists(path):
				text += slurp(path).decode(errors="replace")
		return text

	def children(self, name):
		"""Pids of lighttpd's FastCGI processes of one executable."""
		return [pid for pid in processes() if arguments_of(pid) == [executable(name), ""] and parent_of(pid) == self.process.pid]

	def command(self, *arguments, input=""):
		"""The operator's command, with this server's settings."""
		return subprocess.run([os.path.join(BUILD, "bin", "guardbee"), *arguments], env=self.environment(), input=input,
		    capture_output=True, text=True, timeout=30)

	# --- client --------------------------------------------------------------------------------------------

	def request(self, method, path, body=None, headers=(), chunked=False):
		connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.seconds)
		try:
			send(connection, method, path, body, headers, chunked)
			answer = Answer(connection.getresponse())
		finally:
			connection.close()
		self.note(body, answer)
		return answer

	def raw(self, data, seconds=10):
		"""Bytes as they are, and what comes back until the other side closes or goes silent."""
		with socket.create_connection(("127.0.0.1", self.port), timeout=seconds) as wire:
			wire.sendall(data)
			wire.shutdown(socket.SHUT_WR)
			received = b""
			try:
				while chunk := wire.recv(65536):
					received += chunk
			except (TimeoutError, ConnectionResetError):
				pass
			return received

	def note(self, body, answer):
		"""Remembers what must never be found in a log."""
		found = [value for value, _ in answer.set_cookies().values()]
		for text in (body, answer.body):
			try:
				value = json.loads(text or b"")
			except (ValueError, RecursionError):
				continue
			if isinstance(value, dict):
				found += [value[name] for name in SECRET_FIELDS if isinstance(value.get(name), str)]
		with self.lock:
			self.secrets.update(secret for secret in found if 12 <= len(secret) < 8000)


def send(connection, method, path, body=None, headers=(), chunked=False):
	"""headers: a dict, or pairs where a name comes twice."""
	pairs = list(headers.items() if isinstance(headers, dict) else headers)
	connection.putrequest(method, path, skip_host=any(name.lower() == "host" for name, _ in pairs), skip_accept_encoding=True)
	for name, value in pairs:
		connection.putheader(name, value)
	if chunked:
		connection.putheader("Transfer-Encoding", "chunked")
	elif body is not None and not any(name.lower() == "content-length" for name, _ in pairs):
		connection.putheader("Content-Length", str(len(body)))
	connection.endheaders()
	if chunked:
		for start in range(0, len(body), 1000):
			piece = body[start:start + 1000]
			connection.send(b"%x\r\n%s\r\n" % (len(piece), piece))
		connection.send(b"0\r\n\r\n")
	elif body:
		connection.send(body)


# --- tokens ------------------------------------------------------------------------------------------------

def base64url(data):
	return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_base64url(text):
	return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def decode(token):
	"""(header, claims), unverified."""
	header, claims, _ = token.split(".")
	return json.loads(from_base64url(header)), json.loads(from_base64url(claims))


def compact(value):
	return value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()


def sign(claims, key=KEY, header=None, digest=hashlib.sha256):
	"""A token of our own making. claims and header: objects, or bytes as they shall stand."""
	text = base64url(compact(header or {"alg": "HS256", "typ": "JWT"})) + "." + base64url(compact(claims))
	key = key.encode() if isinstance(key, str) else key
	return text + "." + base64url(hmac.new(key, text.encode(), digest).digest())


def derived_key(label, key=KEY):
	"""The key of refresh tokens and mailed links when none is configured."""
	prk = hmac.new(b"guardbee/1", key.encode(), hashlib.sha256).digest()
	return hmac.new(prk, b"guardbee/1/" + label.encode() + b"\x01", hashlib.sha256).digest()


def changed(token, key=KEY, **claims):
	"""The same token with other claims (None: without), signed well."""
	values = {**decode(token)[1], **claims}
	return sign({name: value for name, value in values.items() if value is not None}, key)


# --- test classes ------------------------------------------------------------------------------------------

class Case(unittest.TestCase):
	"""One server for the class. A subclass names what differs from SETTINGS."""
	settings = {}
	options = {}		# of Server
	mode = "fastcgi"
	longMessage = True
	maxDiff = None
	serial = 0

	@classmethod
	def setUpClass(cls):
		cls.server = cls.make_server()
		try:
			cls.prepare()
			cls.server.start()
			cls.begin()
		except BaseException:
			cls.server.stop()
			raise

	@classmethod
	def tearDownClass(cls):
		faults = cls.server.stop()
		if faults:
			raise AssertionError("\n".join(faults))

	@classmethod
	def make_server(cls):
		return Server(cls.settings, mode=cls.mode, **cls.options)

	@classmethod
	def prepare(cls):
		"""Before the server starts."""

	@classmethod
	def begin(cls):
		"""After the server has started."""

	# --- requests

	@classmethod
	def call(cls, method, path, json_body=None, form=None, bearer=None, cookies=None, headers=None, body=None,
	    chunked=False):
		pairs = dict(headers or {})
		if json_body is not None:
			body = json.dumps(json_body).encode()
			pairs.setdefault("Content-Type", "application/json")
		if form is not None:
			body = urllib.parse.urlencode(form).encode()
			pairs.setdefault("Content-Type", "application/x-www-form-urlencoded")
		if body is None and method == "POST":
			body = b""
		if bearer is not None:
			pairs["Authorization"] = "Bearer " + bearer
		if cookies:
			pairs["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
		return cls.server.request(method, path, body, pairs, chunked)

	@classmethod
	def post(cls, path, json_body=None, **more):
		return cls.call("POST", path, json_body, **more)

	@classmethod
	def get(cls, path, **more):
		return cls.call("GET", path, **more)

	@classmethod
	def email(cls):
		"""An address nobody has yet."""
		Case.serial += 1
		return f"bee{Case.serial}@example.org"

	def register(self, email=None, password=PASSWORD, **more):
		"""A new account: the answer's JSON."""
		return self.expect(self.post("/auth/register", {"email": email or self.email(), "password": password, **more}), 201).json()

	def login(self, email, password=PASSWORD, **more):
		return self.expect(self.post("/auth/login", {"email": email, "password": password}, **more), 200).json()

	def refresh(self, token, **more):
		return self.post("/auth/refresh", {"refresh_token": token}, **more)

	def me(self, token):
		return self.get("/auth/me", bearer=token)

	# --- expectations

	def story(self, answer):
		"""What came, and what the server's log last said."""
		return "\n".join([repr(answer.body[:500]), *self.server.logs().splitlines()[-8:]])

	def expect(self, answer, status):
		if answer.status != status:
			self.fail(f"{answer.status}, not {status}: {self.story(answer)}")
		return answer

	def refused(self, answer, status, code):
		"""An error answer, whole: status, body, and the headers the contract ties to the status."""
		if (answer.status, code_of(answer)) != (status, code):
			self.fail(f"{answer.status} {code_of(answer)}, not {status} {code}: {self.story(answer)}")
		body = answer.json()
		self.assertEqual(body["status"], status)
		self.assertIsInstance(body["error"], str)
		self.assertIn("application/json", answer.headers["Content-Type"])
		self.assertEqual(answer.headers["Cache-Control"], "no-store")
		if status == 401:
			self.assertRegex(answer.headers["WWW-Authenticate"] or "", "^Basic|^Bearer")
		else:
			self.assertIsNone(answer.headers["WWW-Authenticate"])
		if status in (429, 503):
			self.assertGreaterEqual(int(answer.headers["Retry-After"]), 1)
		if status == 405:
			self.assertTrue(answer.headers["Allow"])
		return body

	def alive(self, token):
		self.expect(self.me(token), 200)

	def dead(self, token):
		self.refused(self.me(token), 401, "token_revoked")


def code_of(answer):
	try:
		return answer.json().get("code")
	except (ValueError, AttributeError):
		return None


def over_both(case):
	"""The class twice: over FastCGI and over plain CGI."""
	module = sys.modules[case.__module__]
	for mode in ("fastcgi", "cgi"):
		name = f"{case.__name__}_{mode}"
		setattr(module, name, type(name, (case,), {"mode": mode, "__module__": case.__module__}))
	return None


def main():
	unittest.main(verbosity=1)
