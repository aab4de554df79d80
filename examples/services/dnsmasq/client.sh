# Asks for a name, by UDP and by TCP.
set -eu
test "$(dig @127.0.0.1 +short +tries=1 +time=10 www.example.internal A)" = 192.0.2.1
test "$(dig @127.0.0.1 +short +tries=1 +time=10 +tcp www.example.internal A)" = 192.0.2.1
echo works
