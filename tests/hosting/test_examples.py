# SPDX-License-Identifier: MIT
"""What etc/ holds for the machine around the programs: fail2ban's filter, logrotate, systemd's units."""
import glob
import grp
import os
import pwd
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "http"))
import fastcgi  # noqa: E402
from harness import BUILD, PASSWORD, ROOT, SETTINGS, Case, end_with_us, executable, wait_until  # noqa: E402

from bans import HOSTILE, LINE, banned

HOSTS = ("2026-11-24 12:44:04: (mod_fastcgi.c.449) FastCGI-stderr:%s",
    "2026/11/24 12:44:04 [error] 12#12: *1 FastCGI sent in stderr: \"%s\" while reading response header from upstream, client: 198.51.100.7",
    "[Tue Nov 24 12:44:04.123456 2026] [fcgid:warn] [pid 12:tid 34] [client 198.51.100.7:4242] mod_fcgid: stderr: %s",
    "[Tue Nov 24 12:44:04.123456 2026] [proxy_fcgi:error] [pid 12:tid 34] [client 198.51.100.7:4242] AH01071: Got error '%s'",
    "[Tue Nov 24 12:44:04.123456 2026] [cgid:error] [pid 12:tid 34] [client 198.51.100.7:4242] AH01215: %s: /srv/login.fcgi",
    "%s")


class Fail2ban(Case):
	settings = {"RATE_LIMITS": "on"}

	def test_lines_of_a_real_server(self):
		email = self.email()
		self.register(email)
		self.login(email)
		self.assertEqual(banned(self.server.logs()), [], "nothing wrong yet")
		self.refused(self.post("/auth/login", {"email": email, "password": "wrong" + PASSWORD}), 401, "invalid_credentials")
		self.refused(self.post("/auth/login", {"username": HOSTILE, "password": PASSWORD},
		    headers={"User-Agent": LINE, "Referer": LINE}), 401, "invalid_credentials")
		self.get("/" + LINE.replace(" ", "%20"))
		self.assertTrue(wait_until(lambda: self.server.logs().count("invalid_credentials") >= 2))
		self.assertEqual(banned(self.server.logs()), ["127.0.0.1"] * 2)

	def test_lines_as_each_server_writes_them(self):
		addresses = [f"198.51.100.{n}" for n in range(len(HOSTS))] + ["2001:db8::7"]
		lines = [host % LINE.replace("198.51.100.7", address) for host, address in zip((*HOSTS, HOSTS[0]), addresses)]
		self.assertEqual(banned("\n".join(lines) + "\n"), addresses)

	def test_what_is_no_attempt(self):
		lines = []
		for line in (LINE.replace("401", "200").replace("code=invalid_credentials cause=invalid_credentials ", ""),
		    LINE.replace("invalid_credentials", "token_expired"), LINE.replace("invalid_credentials", "missing_field")):
			lines.append(HOSTS[0] % line)
		self.assertEqual(banned("\n".join(lines) + "\n"), [])

	def test_words_of_a_client_ban_nobody(self):
		lines = ("2026-11-24 12:44:04: (mod_access.c.1) url denied: /" + LINE,
		    "[Tue Nov 24 12:44:04.123456 2026] [core:error] [pid 12:tid 34] [client 203.0.113.1:4242] AH00128: File does not exist: /srv/" + LINE,
		    HOSTS[0] % LINE.replace("who=0a1b", 'who="a address=203.0.113.9 ms=1'),
		    HOSTS[0] % ("guardbee login: x " + LINE),
		    HOSTS[0] % LINE.replace("who=0a1b", 'who="a address=203.0.113.9 ms=1"'))
		self.assertEqual(banned("\n".join(lines) + "\n"), ["198.51.100.7"], "the last alone is a line of ours, and says whose")


class Others(unittest.TestCase):
	def setUp(self):
		self.folder = tempfile.mkdtemp(prefix="gb")
		self.addCleanup(shutil.rmtree, self.folder)

	def test_logs_are_rotated(self):
		with open(os.path.join(ROOT, "etc", "logrotate.d", "guardbee")) as example:
			text = example.read().replace("/var/log/guardbee", self.folder + "/log").replace("su www-data www-data", f"su {os.getuid()} {os.getgid()}")
		os.mkdir(self.folder + "/log", 0o750)
		with open(self.folder + "/conf", "w") as conf:
			conf.write(text)
		log = open(self.folder + "/log/error.log", "a")
		log.write("one\n")
		log.flush()
		done = subprocess.run(["/usr/sbin/logrotate", "-f", "-s", self.folder + "/status", self.folder + "/conf"], capture_output=True, text=True, timeout=60)
		self.assertEqual((done.returncode, done.stderr), (0, ""))
		log.write("two\n")
		log.close()
		with open(self.folder + "/log/error.log") as new, open(self.folder + "/log/error.log.1") as old:
			self.assertEqual((old.read(), new.read()), ("one\n", "two\n"))

	def units(self, change=lambda text: text):
		for path in glob.glob(os.path.join(ROOT, "etc", "systemd", "*")):
			with open(path) as source, open(os.path.join(self.folder, os.path.basename(path)), "w") as out:
				out.write(change(source.read().replace("/usr/local/lib/guardbee/%i.fcgi", os.path.join(BUILD, "cgi-bin", "login.fcgi"))))
		names = ("guardbee.target", "guardbee@login.socket", "guardbee@login.service", "guardbee-second@login.service")
		done = subprocess.run(["systemd-analyze", "verify", "--man=no", *(os.path.join(self.folder, name) for name in names)],
		    capture_output=True, text=True, timeout=60)
		return done.returncode, done.stderr

	def test_systemd_finds_no_fault(self):
		self.assertEqual(self.units(), (0, ""))
		self.assertNotEqual(self.units(lambda text: text.replace("StandardInput=socket", "StandardInput=sock")), (0, ""))

	def unit(self, file, name):
		"""A unit's lines, with the paths of this test."""
		with open(os.path.join(ROOT, "etc", "systemd", file)) as unit:
			text = unit.read()
		for here, there in (("/usr/local/lib/guardbee", self.folder), ("/etc/guardbee.env", self.folder + "/env"), ("/run/guardbee", self.folder), ("%i", name)):
			text = text.replace(here, there)
		return dict(line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))

	def start_unit(self, unit, listening):
		"""As systemd does it: the socket as standard input, settings from the file, the user's rights."""
		with open(unit["EnvironmentFile"]) as file:
			environment = dict(line.strip().split("=", 1) for line in file)
		entry = pwd.getpwnam(unit["User"])
		user = {"user": entry.pw_uid, "group": grp.getgrnam(unit["Group"]).gr_gid, "extra_groups": []} if os.getuid() == 0 else {}
		if user:
			os.chmod(self.folder, 0o755)
			os.chown(self.folder + "/state", user["user"], user["group"])
		process = subprocess.Popen([unit["ExecStart"]], stdin=listening, stdout=subprocess.DEVNULL, env=environment, umask=int(unit["UMask"], 8),
		    preexec_fn=end_with_us, **user)
		self.addCleanup(process.wait)
		self.addCleanup(process.terminate)
		return process

	def ask_unit(self, path):
		with socket.socket(socket.AF_UNIX) as wire:
			wire.settimeout(20)
			wire.connect(path)
			wire.sendall(fastcgi.head(fastcgi.variables("GET")) + fastcgi.stream(fastcgi.STDIN, b""))
			return fastcgi.receive(wire).verdict()

	def test_units_serve_and_share_the_socket(self):
		shutil.copy(executable("me"), self.folder)
		os.mkdir(self.folder + "/state", 0o700)
		with open(self.folder + "/env", "w") as env:
			env.write("".join(f"{name}={value}\n" for name, value in {**SETTINGS, "STATE": self.folder + "/state"}.items()))
		where = self.unit("guardbee@.socket", "me")
		self.assertEqual((where["SocketUser"], where["SocketMode"]), (self.unit("guardbee@.service", "me")["User"], "0660"))
		with socket.socket(socket.AF_UNIX) as listening:
			listening.bind(where["ListenStream"])
			listening.listen()
			started = []
			for file in ("guardbee@.service", "guardbee-second@.service"):
				started.append(self.start_unit(self.unit(file, "me"), listening))
		self.assertEqual(self.ask_unit(where["ListenStream"]), (401, "token_missing"))
		for process in started:
			self.assertEqual(self.ask_unit(where["ListenStream"]), (401, "token_missing"))
			process.terminate()
			self.assertEqual(process.wait(20), 0)
		self.assertRaises(ConnectionRefusedError, self.ask_unit, where["ListenStream"])

	def test_the_target_names_every_program(self):
		with open(os.path.join(ROOT, "etc", "systemd", "guardbee.target")) as target:
			named = set(re.findall(r"guardbee@([a-z-]+)\.socket", target.read()))
		self.assertEqual(named, {os.path.basename(path)[:-2] for path in glob.glob(os.path.join(ROOT, "cgi-bin", "*.c"))})


if __name__ == "__main__":
	unittest.main()
