# Reads a page.
set -eu
page=$(curl -sS --max-time 10 http://127.0.0.1/index.html)
test "$page" = 'hello from nginx'
echo works
