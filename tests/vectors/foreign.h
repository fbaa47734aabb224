/* SPDX-License-Identifier: MIT */
/*
 * Hashes that other programs made: htpasswd (Apache 2.4), openssl passwd (3.0), crypt(3), PHP 8.2's password_hash (WordPress 6.8
 * calls it for $wp$), Python's bcrypt, argon2-cffi, passlib (phpass), hashlib.scrypt as Werkzeug 2.3 and Django 4 call it,
 * Werkzeug 2.2, Django 3.2. Costs are low so that the tests are quick.
 */
#define FOREIGN_PASSWORD "walnut-harbour-seven-lanterns"

static const struct { const char *maker, *hash; } foreign_hashes[] = {
	{ "htpasswd -B", "$2y$05$cMVs9MvMv8DvKH5THdA0fuYi8vKZ3TAeXSZjBbXgABAJeaWDiS45a" },
	{ "htpasswd -m", "$apr1$otQujJYU$fhsGKNRNkDArG.BsG1E6i1" },
	{ "htpasswd -s", "{SHA}PNkSNISRUV6ky3XczAWMJ/tqJdA=" },
	{ "htpasswd -2", "$5$2kN3cIVU3CmAyd5t$tc84Z0fVdP/OFp0fo1uUYwAiOTpoDOioT7n29x3zoC/" },
	{ "htpasswd -5",
	    "$6$rounds=5000$Wz1U.BY865C8RADa$J2//TZAuR.i2Eg65F/ZAu3vMsxJx2oOulAzmheHI2TE8HaSAS1zlgOFYFu0tcl8Q0TncI5JaFkTGZDQ3QfWDN/" },
	{ "openssl -apr1", "$apr1$59xO6XXK$sq1Z0uT5ECcnq6fZi7SLn." },
	{ "openssl -1", "$1$LP6Vu/QR$oYtvfLrHje4NuN4Wr3vy7." },
	{ "openssl -5", "$5$Y6IQIL4hBSufW3K2$C.udx2pLQiDcjgUxuIuQD9/BfoOvcIjN3w.IHkjbno8" },
	{ "openssl -6",
	    "$6$06nH/xD.VlqFlgzY$iFm89C605sNLRJCGV5hFgNhgpj5wDUQQYxfbNI.x4.Ie9wzHFpKH1HV0JQD81QNryY4fSWsahUhIWTlnySIHQ." },
	{ "crypt yescrypt", "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$Lo6baa3D2NpvFU8pAGl3zK6wLxlhmQ1vpqvq6uxun24" },
	{ "crypt gost", "$gy$j9T$F5Jx5fExrKuPp53xLKQ..1$r2OZT5UKVwuvYaBAqcpM5PHZ7scm1gt8S0bF3nKOuX6" },
	{ "crypt sha512 rounds",
	    "$6$rounds=10000$saltstring$/EXP9CbGaEOv7k/b1.6ugNG0z1.aq726yY0MX77B190Is5JOHDbFGeZaGXb75SMU1LxWj.Shujq5LsSSPkwP6." },
	{ "bcrypt 2a", "$2a$05$I3BZTSMAwVDWif/US7QGMeqJU.DkC8Vfz7D2uVPXyugN8P1h00Yj2" },
	{ "bcrypt 2b", "$2b$05$W/HkPYkbYCinD2.bvyEvAugzx.hwMmDLuoMCu.sHg2.2B1gmwwtwG" },
	{ "php bcrypt", "$2y$05$nVVDuhLw6wznXGkC0DKcJ.b.wr8mz/D5NduujXTTugVtcis7vujmW" },
	{ "php wp", "$wp$2y$05$.6NyJAa3l.d1B14IKPoXB.Ma7Xt9yctSI87sk.rKEN3WH8hSDgc32" },
	{ "phpass P", "$P$BLK7U0kBrN6Qr64Tbe4trduNj54JVy0" },
	{ "phpass H", "$H$9IjUcqKv8LpF/AyBAC6lwz1xOdj5fA0" },
	{ "werkzeug scrypt",
	    "scrypt:16384:8:1$abcdEFGH12345678$cdfed0117df1332a6d9546a0a30aa7e89db0f67ccbf7ca4b9600bdeb49822b00ab225ed124a8f209a93023b2dbc17da2cf12ee8af77133018ce862ef2bb41f6e" },
	{ "werkzeug sha256",
	    "pbkdf2:sha256:20000$MNG4n9zzaKQVhLrL$03e5fb97467e073756f534ef3c4a88d9b00ad5f0666b9b63e94798821ced4379" },
	{ "werkzeug sha1",
	    "pbkdf2:sha1:20000$9gUR4wRvfyEALKIs$ef0c809aae2266aeba658d8d042cf371ddfa7c94" },
	{ "werkzeug sha512",
	    "pbkdf2:sha512:20000$P2YcWoTlIPOVmIsq$f733775fa6bcb795af86cc70927b8cda7a4009096b483e2f683f1d608759ab1c8421551f94b9344341ae9ff5c3623a5a0520a26fcee5b79ce64cec17f7050ec6" },
	{ "django pbkdf2_sha256",
	    "pbkdf2_sha256$20000$Hd45R3ko6Aq0Av0py6tUjP$DkmmehgvyAKRjXzLUURtfN8CJPAs9qPzX9S02eRecng=" },
	{ "django pbkdf2_sha1", "pbkdf2_sha1$20000$CgaAjPg875iiq5PL8Dx0xF$h9b4esN8NqL8rG/Gm+mZB0TDj3s=" },
	{ "django bcrypt_sha256", "bcrypt_sha256$$2b$05$9/sCnblpFqhzdnbfBprRXOuAkJAxlX/8rwSQL4h4gY0bJKBgODboa" },
	{ "django bcrypt", "bcrypt$$2b$05$ZOn2lcjmmJsPWkuECs/Byu1ZQcT3B2.2rTO0otUcKe2MkHi8U5qt6" },
	{ "django scrypt",
	    "scrypt$16384$abcdEFGH12345678$8$2$6TJ4JT4GTAgjmwbbBi+rwTp7/+UXZI0vSbums46flDRr2wv/92ae41BBL1i64SVDxV1r+819WQqzCxmkJnxxww==" },
};

static const struct { const char *maker, *hash; } argon2_hashes[] __attribute__((unused)) = {
	{ "php argon2",
	    "$argon2id$v=19$m=8192,t=2,p=1$QW5JNHguVmlQTWVKTE9jLg$wNg0HpmPnhj/JbjJx6Y1sO6zq9Fivica0bZLTsuSQME" },
	{ "django argon2",
	    "argon2$argon2id$v=19$m=8192,t=2,p=8$RW5wd0FaVFpCVXl5M292cnVSaWxrbQ$XaXrLzoTZ9u7W3vwX+ZGSw" },
	{ "argon2-cffi p2",
	    "$argon2id$v=19$m=8192,t=2,p=2$MnHB59WANQVlI3pyrvFiPw$C9SZs5HtK2vHgVaGLV0hRg" },
	{ "argon2i", "$argon2i$v=19$m=8192,t=3,p=1$0GAiELyOiupn37QEZBXmbw$aPw5dkIELsQqELL/6aqZ6g" },
};

/* "aaa...", so many of them: the digests of MD5 are 16 bytes, its blocks 64. */
static const struct { size_t len; const char *apr1, *phpass; } md5_hashes[] __attribute__((unused)) = {
	{ 1, "$apr1$s$EpqI6uEp3OR4bun9kSXHW/",
	    "$P$5saltSALT7CGayGGdcQP45.sDzGzo0/" },
	{ 2, "$apr1$sa$IdpTSCfZQMMGvyW4LjXkC.",
	    "$P$5saltSALT7GzuOfPUnJV1EFIgMmKlz0" },
	{ 15, "$apr1$saltSA$2pwrIy0XDHf9gNhsYdI/l/",
	    "$P$5saltSALTXE.mW/IYWw3pEMI5IREwy." },
	{ 16, "$apr1$saltSAL$rvzD.M8UUfu6YFUuVH9U4.",
	    "$P$5saltSALTXJplcRWbFkjEQvpwp07wq." },
	{ 17, "$apr1$saltSALT$4nXbc6vLnoGupjBHspE3M/",
	    "$P$5saltSALTJCoG5V1Bok0bTocrFhiqG1" },
	{ 32, "$apr1$saltS$FNLZt5X7Glx6vuhGkOaTk.",
	    "$P$5saltSALT5rXe8vQuxEGEYAj2b3Ph80" },
	{ 33, "$apr1$saltSA$vDtz1cipld3.z04r6TYAo1",
	    "$P$5saltSALTqGih9asU.kNzYVn31JM3Z1" },
	{ 100, "$apr1$s$xAj15yd3QWWMQmU5GrBaW1",
	    "$P$5saltSALT.uGgR5u7PvquVNJ.AJjEf." },
	{ 255, "$apr1$sal$wqrjXxy5ClNCq7SDiKa001",
	    "$P$5saltSALTs9svfrVbQ4pCiernNBNND0" },
};
