# Reads the answer of the service.
set -eu
page=$(curl -sS --max-time 10 http://127.0.0.1:8000/)
test "$page" = 'hello from python'
echo works
