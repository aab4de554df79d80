# Stores a value and reads it again.
set -eu
answer=$(printf 'set greeting 0 60 5\r\nhello\r\nget greeting\r\nquit\r\n' | nc -w 10 127.0.0.1 11211 | tr -d '\r')
test "$answer" = 'STORED
VALUE greeting 0 5
hello
END'
echo works
