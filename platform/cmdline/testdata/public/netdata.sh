# Origin: https://github.com/netdata/netdata/blob/000197b770d4eeae10c6841bc6228e07a690c524/packaging/docker/README.md
# Verdict: SYS_PTRACE beside the default set, without AppArmor; the user is that of the image.
docker run -d --name=netdata \
  -p 19999:19999 \
  -v netdatalib:/var/lib/netdata \
  -v /etc/passwd:/host/etc/passwd:ro \
  -v /proc:/host/proc:ro \
  -v /sys:/host/sys:ro \
  --restart unless-stopped \
  --cap-add SYS_PTRACE \
  --security-opt apparmor=unconfined \
  netdata/netdata
