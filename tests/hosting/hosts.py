# SPDX-License-Identifier: MIT
"""
Web servers as an operator has them: started from the examples of etc/, whose paths and ports etc/adapt changes to those of
a directory of our own. Started by root they run as an ordinary user.

	{d}/conf	the examples	{d}/web		with-settings, under the name of each program
	{d}/run		sockets		{d}/log		logs
	{d}/site	what the gate protects
"""
import contextlib
import glob
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "http"))

from harness import BUILD, ROOT, SANITIZER_OPTIONS, Server, arguments_of, end_with_us, executables, free_port, parent_of, processes, slurp, wait_until

PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
APPLICATION = "#!/bin/sh\nprintf 'Content-Type: text/plain\\r\\n\\r\\n'\nenv\ncat\n"
PAGE = "for members only"


def ordinary_user():
	"""uid and gid to run as, or None where we are ordinary ourselves."""
	if os.getuid() != 0:
		return None
	entry = pwd.getpwnam("www-data")
	return entry.pw_uid, entry.pw_gid


def reachable_by_others(path):
	"""False below somebody's 0700 home: then the programs are copied."""
	while path != "/":
		if not os.stat(path).st_mode & 0o001:
			return False
		path = os.path.dirname(path)
	return True


def family(pid):
	"""Every process below this one, itself included."""
	parents, found = {each: parent_of(each) for each in processes()}, {pid}
	while grown := {each for each, parent in parents.items() if parent in found} - found:
		found |= grown
	return found


class Host(Server):
	"""
	examples	files of etc/ that make its configuration; the first is the main one
	gate		the line in the main one that takes the gate in, as it stands there
	spawned		etc/spawn starts the programs
	graceful	the signal by which it takes its configuration anew and loses no request
	"""
	examples, gate, spawned, graceful = (), "", False, signal.SIGUSR1

	def __init__(self, settings, mode="fastcgi"):
		super().__init__(settings, mode)
		self.user = ordinary_user()
		self.spawn = None
		self.app_port = free_port()
		self.programs = os.path.join(BUILD, "cgi-bin")
		for folder in ("conf", "web", "run", "log", "site/members/editors"):
			os.makedirs(os.path.join(self.directory, folder))
		if self.user and not reachable_by_others(os.path.realpath(BUILD)):
			self.programs = shutil.copytree(self.programs, os.path.join(self.directory, "programs"), ignore=lambda _, names: [n for n in names if not n.endswith(".fcgi")])

	# --- files ---------------------------------------------------------------------------------------------

	def path(self, *parts):
		return os.path.join(self.directory, *parts)

	def adapt(self, example):
		values = {"programs": self.path("web"), "lib": self.programs, "www": os.path.join(BUILD, "www"), "run": self.path("run"),
			"log": self.path("log"), "settings": self.path("guardbee.env"), "site": self.path("site"), "port": str(self.port)}
		text = subprocess.run([os.path.join(ROOT, "etc", "adapt"), os.path.join(ROOT, "etc", example), *(f"{name}={value}" for name, value in values.items())],
		    check=True, capture_output=True, text=True).stdout
		# applications of others, which are no business of ours
		return text.replace("/run/wiki.sock", self.path("wiki.sock")).replace("8090", str(self.app_port)).replace("/etc/lighttpd", self.path("conf"))

	def write(self, name, text, mode=0o644):
		with open(self.path(name), "w") as out:
			out.write(text)
		os.chmod(self.path(name), mode)

	def write_settings(self):
		kept = {name: os.environ[name] for name in SANITIZER_OPTIONS if name in os.environ}
		self.write("guardbee.env", "# what the programs read\n" + "".join(f"{name}='{value}'\n" for name, value in {**self.settings, **kept}.items()), 0o640)

	def write_tree(self):
		self.write_settings()
		for name in executables():
			self.write(f"web/{name}.fcgi", self.adapt("with-settings"), 0o755)
		self.write("spawn", self.adapt("spawn"), 0o755)
		for example in self.examples:
			text = self.adapt(example)
			if example == self.examples[0]:
				text = self.adapt_main(text)
			self.write("conf/" + os.path.basename(example), text)
		self.write("site/members/page.html", PAGE)
		self.write("site/members/editors/page.html", PAGE)
		self.write("site/members/app.cgi", APPLICATION, 0o755)
		self.write_base()

	def adapt_main(self, text):
		assert "#" + self.gate in text, self.examples[0]
		return text.replace("#" + self.gate, self.gate)

	def write_base(self):
		"""What a distribution's own configuration would say around the example."""

	# --- life ----------------------------------------------------------------------------------------------

	def popen(self, *command):
		as_user = {"user": self.user[0], "group": self.user[1], "extra_groups": []} if self.user else {}
		with open(self.path("log", "stderr.log"), "ab") as errors:
			return subprocess.Popen(command, env={"PATH": PATH}, cwd="/", stdin=subprocess.DEVNULL, stdout=errors, stderr=errors,
			    start_new_session=True, preexec_fn=end_with_us, **as_user)

	def own(self):
		"""Everything belongs to the user that serves."""
		if self.user:
			for folder, _, names in os.walk(self.directory):
				for path in [folder, *(os.path.join(folder, name) for name in names)]:
					os.chown(path, *self.user)

	def start(self):
		self.write_tree()
		self.own()
		if self.spawned:
			self.spawn = self.popen(self.path("spawn"))
		self.process = self.popen(*self.server_command())
		if not wait_until(self.is_up, 20):
			raise RuntimeError(f"{self.examples[0]} does not start:\n" + self.logs())
		return self

	def is_up(self):
		started = [self.process, self.spawn] if self.spawn else [self.process]
		if any(process.poll() is not None for process in started):
			raise RuntimeError(f"{self.examples[0]} does not start:\n" + self.logs())
		return self.listens() and (not self.spawned or all(self.children(name) for name in executables()))

	def family(self):
		return set().union(*(family(process.pid) for process in (self.process, self.spawn) if process is not None))

	def halt(self):
		members = {pid: arguments_of(pid) for pid in self.family()} if self.process else {}
		for process in (self.process, self.spawn):
			if process is not None:
				process.send_signal(self.stop_signal)
				try:
					process.wait(20)
				except subprocess.TimeoutExpired:
					process.kill()
					process.wait()
		self.process = self.spawn = None

		def left():
			return [pid for pid, arguments in members.items() if arguments and arguments_of(pid) == arguments]
		wait_until(lambda: not left() and not self.detached(), 20)
		return left() + self.detached()

	stop_signal = signal.SIGTERM

	def detached(self):
		"""Programs of ours that nobody is the parent of: a mail that is still being sent."""
		return [pid for pid in processes() if parent_of(pid) == 1 and self.directory in " ".join(arguments_of(pid) or ())]

	def log_sizes(self):
		return {path: os.path.getsize(path) for path in sorted(glob.glob(self.path("log", "*.log")))}

	def logs(self, seen=None):
		"""seen: what log_sizes() was, for what came since."""
		return "".join(slurp(path)[(seen or {}).get(path, 0):].decode(errors="replace") for path in self.log_sizes())

	def children(self, name):
		"""Pids of the processes of one program. A wrapper that has not become it yet does not count."""
		program = os.path.join(self.programs, name + ".fcgi")
		return sorted(pid for pid in self.family() if (arguments_of(pid) or [None])[0] == program)

	def starting(self):
		"""Pids of wrappers that have not become their program yet."""
		return [pid for pid in self.family() if any(argument.startswith(self.path("web/")) for argument in arguments_of(pid) or ())]

	def gates(self):
		"""Pids of everything that answers for the gate."""
		return self.children("verify")

	@staticmethod
	def settle(pids):
		"""Until no process comes or goes for a while."""
		seen = [None]

		def is_same():
			before, seen[0] = seen[0], pids()
			time.sleep(0.2)
			return before == seen[0]
		assert wait_until(is_same)

	def renew(self):
		"""A graceful restart of all of it."""
		self.process.send_signal(self.graceful)
		if self.spawn:
			self.spawn.send_signal(signal.SIGHUP)

	def revive(self):
		"""Starts etc/spawn again if it gave up."""
		with contextlib.suppress(subprocess.TimeoutExpired):
			self.spawn.wait(2)
		if self.spawn.poll() is not None:
			self.spawn = self.popen(self.path("spawn"))
		assert wait_until(self.is_up, 20)


class Lighttpd(Host):
	examples, gate = ("lighttpd/lighttpd.conf", "lighttpd/fastcgi.conf", "lighttpd/cgi.conf", "lighttpd/gate.conf", "lighttpd/names.lua"), 'include "gate.conf"'
	stop_signal = signal.SIGINT

	def adapt_main(self, text):
		assert 'include "fastcgi.conf"' in text
		if self.mode == "cgi":
			text = text.replace('include "fastcgi.conf"', 'include "cgi.conf"')
		# the last two are for the application behind the gate
		return super().adapt_main(text).replace('"mod_cgi" )', '"mod_cgi", "mod_magnet", "mod_proxy" )')

	def renew(self):
		"""And until it is done: lighttpd forgets to end processes that it has only just begun to start."""
		before = set(self.gates())
		super().renew()
		assert wait_until(lambda: before.isdisjoint(self.gates()), 20)
		self.settle(self.gates)

	def server_command(self):
		return shutil.which("lighttpd", path=PATH), "-D", "-f", self.path("conf/lighttpd.conf")


APACHE_BASE = """
ServerRoot {d}/conf
ServerName localhost
DefaultRuntimeDir {d}/run
PidFile {d}/run/httpd.pid
ErrorLog {d}/log/apache.log
TypesConfig /dev/null
Suexec Off
{modules}
{sizes}
<Directory />
	AllowOverride None
	Require all denied
</Directory>
FcgidIPCDir {d}/run/fcgid
FcgidProcessTableFile {d}/run/fcgid_shm
Include {d}/conf/{main}
"""
APACHE_MODULES = ("mpm_event", "authz_core", "authn_core", "alias", "dir", "mime", "env", "setenvif", "headers", "rewrite", "fcgid", "cgid",
    "proxy", "proxy_fcgi", "proxy_http")


# A folder for .htaccess; and an operator's own rewriting, after which Authorization comes as REDIRECT_HTTP_AUTHORIZATION only.
REWRITTEN = """
	Alias /closed/ {d}/site/closed/
	<Directory {d}/site/closed>
		Require all granted
		AllowOverride FileInfo
		<Files ".ht*">
			Require all denied
		</Files>
	</Directory>
	Alias /rewritten/ {d}/site/rewritten/
	<Directory {d}/site/rewritten>
		Require all granted
		Options +ExecCGI
		SetHandler {handler}
		RewriteEngine On
		RewriteCond %{{ENV:REDIRECT_STATUS}} ^$
		RewriteCond %{{HTTP:Authorization}} (.+)
		RewriteRule .* - [E=HTTP_AUTHORIZATION:%1]
		RewriteRule ^me$ me.fcgi [L]
	</Directory>
</VirtualHost>"""


class Apache(Host):
	gate, handler = "Include gate.conf", None
	modules = APACHE_MODULES
	sizes = ("StartServers 2\nThreadsPerChild 8\nServerLimit 4\nMaxRequestWorkers 32\nMinSpareThreads 4\nMaxSpareThreads 16\n"
	    "ScriptSock {d}/run/cgid.sock\n")

	def adapt_main(self, text):
		text = super().adapt_main(text)
		return text.replace("</VirtualHost>", REWRITTEN.format(d=self.directory, handler=self.handler)) if self.handler else text

	def renew(self):
		"""And until it is done: a signal that comes earlier is lost."""
		before = self.started()
		super().renew()
		assert wait_until(lambda: self.started() > before, 20)

	def started(self):
		return self.logs().count("resuming normal operations")

	def write_base(self):
		for folder in ("site/rewritten", "site/closed"):
			os.makedirs(self.path(folder), exist_ok=True)
		shutil.copy(self.path("web/me.fcgi"), self.path("site/rewritten/me.fcgi"))
		modules = "\n".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so" for name in self.modules)
		self.write("conf/httpd.conf", APACHE_BASE.format(d=self.directory, modules=modules, sizes=self.sizes.format(d=self.directory),
		    main=os.path.basename(self.examples[0])))

	def listens(self):
		"""Apache opens its port before it can be told anything."""
		return self.started() > 0

	def server_command(self):
		return shutil.which("apache2", path=PATH), "-DFOREGROUND", "-f", self.path("conf/httpd.conf")


class ApacheFcgid(Apache):
	examples, handler = ("apache/fcgid.conf", "apache/gate.conf"), "fcgid-script"


class ApacheCgid(Apache):
	examples, handler = ("apache/cgid.conf", "apache/gate.conf"), "cgi-script"

	def __init__(self, settings):
		super().__init__(settings, mode="cgi")


class ApacheCgi(ApacheCgid):
	"""mod_cgi in the place of mod_cgid: no daemon between, each process of the server starts the programs itself."""
	modules = tuple("cgi" if name == "cgid" else name for name in APACHE_MODULES)
	sizes = Apache.sizes.replace("ScriptSock {d}/run/cgid.sock\n", "")


class ApacheProxyFcgi(Apache):
	examples, spawned = ("apache/proxy-fcgi.conf", "apache/gate.conf"), True


NGINX_BASE = """
daemon off;
pid {d}/run/nginx.pid;
error_log {d}/log/nginx.log;
worker_processes 2;
events {{ worker_connections 256; }}
http {{
	client_body_temp_path {d}/run/body;
	proxy_temp_path {d}/run/proxy;
	fastcgi_temp_path {d}/run/fastcgi;
	uwsgi_temp_path {d}/run/uwsgi;
	scgi_temp_path {d}/run/scgi;
	types {{ text/html html; text/css css; text/javascript js; text/plain txt; image/svg+xml svg; }}
	include guardbee.conf;
}}
"""


class Nginx(Host):
	examples = ("nginx/guardbee.conf", "nginx/guardbee-program.conf", "nginx/guardbee-gate.conf")
	gate, spawned, graceful, stop_signal = "include guardbee-gate.conf;", True, signal.SIGHUP, signal.SIGTERM

	def write_base(self):
		self.write("conf/nginx.conf", NGINX_BASE.format(d=self.directory))

	def server_command(self):
		return shutil.which("nginx", path=PATH), "-p", self.directory, "-e", self.path("log/nginx.log"), "-c", self.path("conf/nginx.conf")
