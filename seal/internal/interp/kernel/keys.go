package kernel

// sessionKeyring is KEY_SPEC_SESSION_KEYRING.
const sessionKeyring = -3

// keyctl has the operations for the session keyring. Other operations are probes, which have
// zeros as arguments: they find no key.
func (c *call) keyctl() int64 {
	const getID, join, read, lastOperation = 0, 1, 11, 32
	const noKey, notSupported = -126, -EOPNOTSUPP
	switch operation := c.args[0]; {
	case operation == getID && c.fd(1) == sessionKeyring:
		c.need(3)
		c.zero(2)
		if c.Keyring == 0 {
			// The kernel installs the user session keyring.
			c.Keyring = c.newKeyring()
		}
		return int64(c.Keyring)
	case operation == join:
		if c.args[1] != 0 {
			if _, err := c.mem.Text(c.args[1]); err != nil {
				return -EFAULT
			}
			c.fail("a named session keyring")
		}
		if c.KeyQuota {
			return -EDQUOT
		}
		c.Keyring = c.newKeyring()
		return int64(c.Keyring)
	case operation == read && c.args[1] != 0:
		c.need(4)
		c.zero(2, 3)
		if int32(c.args[1]) != c.Keyring {
			return noKey
		}
		return 0
	case operation > lastOperation:
		return notSupported
	}
	for n := 1; n < 5; n++ {
		c.need(n + 1)
		c.zero(n)
	}
	return -EINVAL
}

func (k *Kernel) newKeyring() int32 {
	k.lastKeyring++
	return k.lastKeyring
}

// addKey is add_key(2) and request_key(2), as probes with an invalid address.
func (c *call) addKey() int64 {
	if _, err := c.mem.Text(c.args[0]); err == nil {
		c.fail("a key")
	}
	return -EFAULT
}
