# Origin: https://github.com/docker-library/docs/blob/00b10a449a61b68f8b5e45ec34da2e8b3354f67b/vault/README.md
# Verdict: IPC_LOCK has an effect as long as the image starts as root: its entrypoint gives the capability to the file of the program.
docker run --cap-add=IPC_LOCK -e 'VAULT_DEV_ROOT_TOKEN_ID=myroot' -e 'VAULT_DEV_LISTEN_ADDRESS=0.0.0.0:1234' vault
