package main

import "caprun/schema"

// schemaForm is the form that prints the JSON Schema.
func schemaForm() *form {
	return &form{
		name: "schema", about: "print the JSON Schema of profiles, for editors",
		run: func(c *Command, _ []string) int { return c.print(string(schema.JSON())) },
	}
}
