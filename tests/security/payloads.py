"""What an attacker tries: addresses, scripts, numbers, texts. One list each, used at every door."""

from __future__ import annotations

# Every way to write an address that the hub must never call.
INSIDE = (
    "http://127.0.0.1/", "http://127.1/", "http://127.0.1/", "http://2130706433/",
    "http://0x7f000001/", "http://0x7f.0x0.0x0.0x1/", "http://017700000001/",
    "http://0177.0.0.1/", "http://0/", "http://0.0.0.0/", "http://00000177.0.0.1/",
    "http://127.0.0.1./", "http://localhost/", "http://LocalHost/", "http://localhost./",
    "http://foo.localhost/", "http://10.1.2.3/", "http://172.16.0.9/", "http://192.168.0.1/",
    "http://100.64.0.1/", "http://169.254.169.254/latest/meta-data/", "http://2852039166/",
    "http://0xa9fea9fe/", "http://169.254.43518/", "http://198.18.0.1/", "http://192.0.0.192/",
    "http://224.0.0.1/", "http://239.255.255.250/", "http://240.0.0.1/",
    "http://255.255.255.255/", "http://[::]/", "http://[::1]/", "http://[0:0:0:0:0:0:0:1]/",
    "http://[::127.0.0.1]/", "http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/",
    "http://[0:0:0:0:0:ffff:169.254.169.254]/", "http://[64:ff9b::7f00:1]/",
    "http://[64:ff9b:1::a00:1]/", "http://[2002:7f00:1::]/", "http://[2002:a9fe:a9fe::]/",
    "http://[2001:0:7f00:1::]/", "http://[fe80::1]/", "http://[fe80::1%25lo]/",
    "http://[fec0::1]/", "http://[fd00:ec2::254]/", "http://[ff02::1]/", "http://[100::1]/",
    "http://[2001:db8::1]/",
)  # fmt: skip
# Not plainly an address, but read as one (or as another host) by somebody.
ODD = (
    "http://user@127.0.0.1/", "http://crm.carinho.com.vc@127.0.0.1/", "http://a:b@10.0.0.1/",
    "http://127.0.0.1:80@crm.carinho.com.vc/", "http://127.0.0.1\\@crm.carinho.com.vc/",
    "http://crm.carinho.com.vc\\.127.0.0.1/", "http://127.0.0.1#@crm.carinho.com.vc/",
    "http:///127.0.0.1/", "http:127.0.0.1/", "//127.0.0.1/", "http://127.0.0.1%2f.evil.test/",
    "http://①②⑦.⓪.⓪.①/", "http://127。0。0。1/", "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/",
    "http://[::1", "http://[::1]evil.test/", "http://1.1.1.1 &@127.0.0.1# @3.3.3.3/",
    "http://127.0.0.1\t/", "http://127.0.0.1\r\nHost: x/", "http://127.0.0.1\x00.evil.test/",
    "gopher://127.0.0.1:6379/_FLUSHALL", "file:///etc/passwd", "dict://127.0.0.1:6379/info",
    "ftp://127.0.0.1/", "unix:///var/run/redis.sock", "jar:http://127.0.0.1!/", "data:,x",
    "javascript:alert(1)", "ldap://127.0.0.1/", "http+unix://%2Fvar%2Frun%2Fx.sock/",
)  # fmt: skip
# Each would call `window.hurt` or leave an element with the id or name `hurt`.
SCRIPTS = (
    "<script>hurt(1)</script>",
    "\"><script src=data:,hurt(2)></script>",
    "'><img id=hurt src=x onerror=hurt(3)>",
    "<svg/onload=hurt(4) id=hurt>",
    "</textarea></title></style></script><b id=hurt>x</b><script>hurt(5)</script>",
    "{{ 7*7 }}${7*7}<%= 7*7 %>#{7*7}",
    "javascript:hurt(6)//",
    "\"autofocus onfocus=hurt(7) id=hurt x=\"",
    "<iframe id=hurt srcdoc='<script>parent.hurt(8)</script>'></iframe>",
    "<div hx-get=/pessoas hx-trigger=load id=hurt hx-on:load=hurt(9)>x</div>",
    "<a id=hurt href=javascript:hurt(10)>x</a>",
    "<form id=hurt action=//evil.test><button>x</button></form>",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=hurt(11)>",
    "<base id=hurt href=//evil.test/><meta id=hurt http-equiv=refresh content=0;url=//evil.test>",
    "\u2028</script\u2029><script>hurt(12)</script>\u202e",
)  # fmt: skip
# What a spreadsheet would run.
FORMULAS = (
    "=1+1", "+1+1", "-1+1", "@SUM(1)", "\t=1+1", "\r=1+1", "=cmd|'/c calc'!A0", "\n=1+1",
    " =1+1", "＝1+1", "=HYPERLINK(\"http://evil.test\")", "%0A=1", "\x0b=1+1", "\ufeff=1+1",
)  # fmt: skip
# What breaks a line, a terminal or a header.
LINES = (
    "a\r\nX-Evil: 1", "a\nINFO forged", "a\rb", "a\x1b[31mred", "a\x1b]0;title\x07", "a\x00b",
    "a\x85b", "a\u2028b", "a\u2029b", "a\x9b31m", "a\x08b", "a\u202eb",
)  # fmt: skip
