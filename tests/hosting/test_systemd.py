# SPDX-License-Identifier: MIT
"""
etc/systemd under a systemd of its own: the system that this one would be after a boot, in namespaces and on an overlay of
its root, so that an administrator's steps change nothing here. nginx and the mail server are Debian's, started by their units.

Only root may make such a system, and only where the kernel has overlayfs and cgroup2; elsewhere this is skipped.
"""
import atexit
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "http"))
import exim  # noqa: E402
from harness import BUILD, Case, ROOT, Server, arguments_of, end_with_us, executables, free_port, parent_of, processes, slurp, wait_until  # noqa: E402
from test_running import Load  # noqa: E402

# One after the other: a cgroup below the root of cgroup2, a root that is written beside the real one, and systemd as the
# first process in it. What it could change for everybody (/sys, /proc/sys, devices) is not there or cannot be written.
GROUP = """
mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs "$1"
mkdir "$1/groups" "$1/upper" "$1/work" "$1/root"
mount -t cgroup2 cgroup2 "$1/groups"
mkdir "$1/groups/$2"
echo 0 >"$1/groups/$2/cgroup.procs"
umount "$1/groups"
mount -t overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" overlay "$1/root"
exec unshare --fork --kill-child --pid --cgroup --uts --ipc sh -euc "$3" boot "$1/root"
"""
BOOT = """
cd "$1"
mount -t tmpfs -o mode=755 tmpfs dev
for node in null zero full random urandom tty; do touch dev/$node; mount --bind /dev/$node dev/$node; done
ln -s /proc/self/fd dev/fd
ln -s pts/ptmx dev/ptmx
mkdir dev/shm
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
mkdir before
pivot_root . before
umount -l before
rm -rf /var/log/journal /etc/nginx/sites-enabled/default
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin container=guardbee /lib/systemd/systemd --system --unit=sysinit.target --show-status=no --log-target=journal
"""
# As the README has them, for another address and with cheap passwords; and nginx.
SETTINGS = """install -d -m 700 -o www-data /var/lib/guardbee
printf 'JWT_KEY=%s\\nFRONTEND_URL=https://example.org\\nMAIL_FROM=noreply@example.org\\n' $(openssl rand -hex 32) >/etc/guardbee.env
chgrp www-data /etc/guardbee.env
chmod 640 /etc/guardbee.env
"""
UNITS = """cp /usr/local/share/doc/guardbee/etc/systemd/* /etc/systemd/system
systemctl daemon-reload
systemctl enable --now guardbee.target
"""
NGINX = """
printf 'ARGON2_MEMORY_COST=7168\\nARGON2_TIME_COST=1\\n' >>/etc/guardbee.env
cp /usr/local/share/doc/guardbee/nginx/* /etc/nginx
cd /etc/nginx
sed s/:8080/:PORT/ guardbee.conf >sites-enabled/guardbee.conf
install -d -m 750 -o www-data /var/log/guardbee
systemctl start nginx
"""
# A mail server with one mailbox for all, in the place of Debian's way to configure it.
MAIL = """
install -d -o Debian-exim -g Debian-exim /var/spool/guardbee /var/spool/guardbee/mail
cat >/etc/exim4/exim4.conf
"""
IS_LONG = os.environ.get("HOSTING") == "long"
REMOVE_GROUP = 'mount -t cgroup2 cgroup2 "$1" && { [ ! -d "$1/$2" ] || find "$1/$2" -depth -type d -exec rmdir {} +; }'


class Machine(Server):
	"""A system with a systemd; harness.Server's client speaks with its nginx."""
	def __init__(self):
		self.directory = tempfile.mkdtemp(prefix="gb")
		self.group = os.path.basename(self.directory)
		self.port = free_port()
		self.origin = f"http://127.0.0.1:{self.port}"
		self.process, self.init, self.secrets, self.lock, self.journal = None, None, set(), threading.Lock(), ""
		atexit.register(self.stop)

	def start(self):
		with open(os.path.join(self.directory, "start.log"), "wb") as log:
			self.process = subprocess.Popen(["unshare", "--mount", "sh", "-euc", GROUP, "group", self.directory, self.group, BOOT],
			    stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=end_with_us)
		if not wait_until(lambda: self.process.poll() is not None or self.is_up(), 30) or self.process.poll() is not None:
			raise unittest.SkipTest("no system in namespaces here: " + slurp(log.name).decode())
		return self

	def is_up(self):
		self.init = next((pid for pid in processes() if parent_of(pid) == self.process.pid), None)
		return self.init and os.path.exists(self.path("/run/systemd/private")) and self.run("systemctl", "is-active", "-q", "sysinit.target", check=False).returncode == 0

	def path(self, path):
		"""A file of its, as it is called from here."""
		return f"/proc/{self.init}/root{path}"

	def run(self, *words, check=True, **more):
		done = subprocess.run(["nsenter", "-a", "-t", str(self.init), *words], capture_output=True, text=True, timeout=60, **{"input": "", **more})
		if check and done.returncode != 0:
			raise AssertionError(f"{words}: {done.returncode}\n{done.stdout}{done.stderr}")
		return done

	def halt(self):
		if self.process is None:
			return []
		self.journal = self.logs()
		self.process.kill()	# and with it its first process, and with that all others
		self.process.wait()
		self.process = None
		remove = ["unshare", "--mount", "sh", "-euc", REMOVE_GROUP, "group", self.directory, self.group]
		return [] if wait_until(lambda: subprocess.run(remove, capture_output=True).returncode == 0) else [self.init]

	def logs(self):
		return self.run("journalctl", "--no-pager", "-q", check=False).stdout if self.process and self.init else self.journal


class Steps(unittest.TestCase):
	def test_the_readme_has_them(self):
		with open(os.path.join(ROOT, "README.md")) as readme:
			text = readme.read().replace("\n    ", "\n")
		for steps in (SETTINGS, UNITS):
			self.assertIn(steps, text)


@unittest.skipIf("sanitize" in BUILD or "coverage" in BUILD, "what a unit takes away, such a build needs")
class Units(Case):
	began = 0

	@classmethod
	def make_server(cls):
		if os.getuid() != 0:
			raise unittest.SkipTest("only root can start a system")
		return Machine()

	@classmethod
	def begin(cls):
		"""What the README says, and Debian's nginx and Exim."""
		tree = os.path.join(cls.server.directory, "tree")
		subprocess.run(["make", "-s", "install", f"DESTDIR={tree}", "BUILD=" + os.path.relpath(BUILD, ROOT)], cwd=ROOT, check=True)
		subprocess.run(["cp", "-a", tree + "/.", cls.server.path("/")], check=True)
		if exim.find():
			user = exim.owner()
			cls.server.run("sh", "-euc", MAIL, input=exim.CONFIGURATION.format(d="/var/spool/guardbee", user=user.pw_uid, group=user.pw_gid, certificates="/", ports=25))
		cls.server.run("sh", "-euc", SETTINGS.replace("https://example.org", cls.server.origin) + NGINX.replace("PORT", str(cls.server.port)) + UNITS)
		if not wait_until(lambda: cls.get("/auth/health").status == 200) or cls.complaints():
			raise AssertionError(cls.server.logs())

	def setUp(self):
		Units.began = time.time()

	@classmethod
	def systemctl(cls, *words):
		return cls.server.run("systemctl", *words).stdout

	def state(self, unit, *names):
		"""What systemd says of it: a list of values."""
		shown = dict(line.split("=", 1) for line in self.systemctl("show", unit, *(f"-p{name}" for name in names)).splitlines())
		return [shown[name] for name in names]

	@classmethod
	def journal(cls, *words):
		"""Since this test began."""
		return cls.server.run("journalctl", "-q", "--no-pager", "-ocat", f"--since=@{cls.began}", *words).stdout.splitlines()

	@classmethod
	def complaints(cls):
		return [line for line in cls.journal("-pwarning") if "guardbee" in line]

	def asks(self):
		bearer = {"Authorization": "Bearer " + self.register()["access_token"]}
		post = ("POST", "/auth/refresh", b'{"refresh_token":"x"}', {"Content-Type": "application/json"}, (401, "token_invalid"))
		return [("GET", "/auth/me", None, bearer, (200, None))] * 3 + [post] * 2

	def test_accounts_work_and_nobody_complains(self):
		email = self.email()
		self.register(email)
		signed_in = self.login(email)
		renewed = self.expect(self.refresh(signed_in["refresh_token"]), 200).json()
		self.alive(renewed["access_token"])
		self.expect(self.get("/login"), 200)
		self.expect(self.post("/auth/logout", bearer=renewed["access_token"]), 204)
		self.dead(renewed["access_token"])
		self.assertEqual(self.complaints(), [])
		self.assertTrue(self.journal("-tlogin.fcgi"), "the control: its lines are there")
		self.assertEqual(self.systemctl("is-enabled", "guardbee.target").strip(), "enabled")

	@unittest.skipUnless(exim.find(), "no Exim here: another mail server holds its place")
	def test_mail_goes_out_by_a_set_id_sendmail(self):
		email = self.email()
		self.register(email)
		self.expect(self.post("/auth/forgot-password", {"email": email}), 200)
		folder = self.server.path("/var/spool/guardbee/mail")
		found = lambda: [link for name in os.listdir(folder) for link in re.findall(rb"/reset-password\?token=([\w.-]+)", slurp(os.path.join(folder, name)))]
		self.assertTrue(wait_until(found), [self.complaints(), self.server.run("sh", "-c", "tail /var/spool/guardbee/*.log", check=False).stdout])
		self.expect(self.post("/auth/reset-password", {"token": found()[0].decode(), "new_password": "granite teapot under nine elms"}), 200)
		self.login(email, "granite teapot under nine elms")
		self.assertEqual(self.complaints(), [])

	def test_a_process_that_is_killed_is_replaced(self):
		token, units = self.register()["access_token"], ("guardbee@me.service", "guardbee-second@me.service")
		for _ in range(2):
			self.systemctl("kill", "-sKILL", *units)
			self.assertTrue(wait_until(lambda: self.me(token).status == 200))
		self.assertTrue(wait_until(lambda: [self.state(unit, "ActiveState") for unit in units] == [["active"]] * 2))
		self.assertGreaterEqual(self.restarts(units[0]), 2)

	def restarts(self, unit):
		return int(self.state(unit, "NRestarts")[0])

	def test_a_program_that_cannot_start_for_a_while_comes_back_and_those_who_ask_wait(self):
		token, program = self.register()["access_token"], self.server.path("/usr/local/lib/guardbee/me.fcgi")
		os.rename(program, program + ".away")
		self.systemctl("kill", "-sKILL", "guardbee@me.service", "guardbee-second@me.service")
		found = []
		waiting = threading.Thread(target=lambda: found.append(self.me(token).status))
		waiting.start()
		before = self.restarts("guardbee@me.service")
		self.assertTrue(wait_until(lambda: self.restarts("guardbee@me.service") >= before + 2))
		self.assertEqual(found, [])
		os.rename(program + ".away", program)
		waiting.join()
		self.assertEqual(found, [200])

	def test_a_restart_costs_no_request(self):
		with Load(self, self.asks()) as load:
			for _ in range(10 if IS_LONG else 6):	# more than five in ten seconds, where systemd usually gives up
				before = load.count
				pid = self.state("guardbee@me.service", "MainPID")
				self.systemctl("restart", "guardbee.target")
				self.assertNotEqual(self.state("guardbee@me.service", "MainPID"), pid)
				self.assertTrue(wait_until(lambda: load.count > before + (1000 if IS_LONG else 50), 30))
		self.assertEqual(load.wrong, {}, f"of {load.count}")
		self.assertEqual(self.complaints(), [])

	def test_a_wrong_setting_fails_once_and_is_mended_by_a_restart(self):
		token, units = self.register()["access_token"], ("guardbee@me.service", "guardbee-second@me.service")
		self.server.run("sh", "-c", "echo GATE_REQUIRES=x >>/etc/guardbee.env")
		self.addCleanup(self.mend)
		self.systemctl("restart", *units)
		failed = lambda: [self.state(unit, "ActiveState", "Result", "ExecMainStatus", "NRestarts") for unit in units] == [["failed", "exit-code", "78", "0"]] * 2
		self.assertTrue(wait_until(failed))
		starts = lambda: [line for line in self.journal("-tme.fcgi") if "GATE_REQUIRES must be one of" in line]
		self.assertTrue(wait_until(lambda: len(starts()) == 2))
		time.sleep(1.5)
		self.assertEqual(len(starts()), 2, "it is not tried again by itself")
		self.assertEqual([self.me(token).status for _ in range(2)], [502] * 2)
		seen = len(starts())
		self.assertLessEqual(seen, 30, "nor without end by those who ask")
		time.sleep(0.5)
		self.assertEqual((len(starts()), failed()), (seen, True))
		self.mend()
		self.alive(token)

	def mend(self):
		self.server.run("sed", "-i", "/^GATE_REQUIRES/d", "/etc/guardbee.env")
		self.systemctl("restart", "guardbee.target")

	def test_stopped_nothing_is_left(self):
		token = self.register()["access_token"]
		self.systemctl("stop", "guardbee.target")
		self.addCleanup(self.systemctl, "start", "guardbee.target")
		units = lambda: self.systemctl("list-units", "-q", "--no-pager", "guardbee*").strip()
		self.assertTrue(wait_until(lambda: not units()), [units(), self.complaints()])
		self.assertEqual(os.listdir(self.server.path("/run/guardbee")), [])
		running = lambda: [pid for pid in processes() if "/lib/guardbee/" in " ".join(arguments_of(pid) or ()) and f"/{self.server.group}/" in slurp(f"/proc/{pid}/cgroup").decode()]
		self.assertTrue(wait_until(lambda: not running()), running())	# a mail may still be on its way
		self.assertEqual(self.me(token).status, 502)
		self.systemctl("start", "guardbee.target")
		self.alive(token)
		self.assertTrue(wait_until(lambda: len(running()) == 2 * len(executables())), running())


if __name__ == "__main__":
	unittest.main()
