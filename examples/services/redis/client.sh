# Stores a value, reads it again, and writes the file of the database.
set -eu
test "$(redis-cli set greeting hello)" = OK
test "$(redis-cli get greeting)" = hello
test "$(redis-cli save)" = OK
echo works
