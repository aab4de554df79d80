# Sends a packet to port 53, where nothing listens, and waits until it is in the file.
set -eu
tries=0
until tcpdump -n -A -r /var/lib/capture/dns.pcap0 2>/dev/null | grep -q 'hello, tcpdump'; do
    tries=$((tries + 1))
    test "$tries" -le 100
    echo 'hello, tcpdump' | nc -u -w 1 127.0.0.1 53 || sleep 0.1
done
echo works
