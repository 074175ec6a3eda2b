package main

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
)

// report is what `meshproof test -o json` prints, as far as these tests read it.
type report struct {
	Cases []struct {
		Name       string `json:"name"`
		Request    string `json:"request"`
		Outcome    string `json:"outcome"`
		File       string `json:"file"`
		Line       int    `json:"line"`
		Mismatches []struct{ Field, Wanted, Found, Rule string }
	} `json:"cases"`
	Problems []struct{ File, Found, Remedy string } `json:"problems"`
}

// TestRules runs every case of rules/tests as a subtest. It starts nothing.
func TestRules(t *testing.T) {
	command := exec.Command("meshproof", "test", "-o", "json")
	output, err := command.Output()
	var r report
	if json.Unmarshal(output, &r) != nil {
		t.Fatalf("meshproof: %v\n%s", err, output)
	}
	for _, p := range r.Problems {
		t.Errorf("%s: %s; %s", p.File, p.Found, p.Remedy)
	}
	if len(r.Cases) == 0 {
		t.Fatal("no case was judged")
	}
	for _, c := range r.Cases {
		t.Run(strings.ReplaceAll(c.Name, " ", "_"), func(t *testing.T) {
			for _, m := range c.Mismatches {
				t.Errorf("%s:%d: %s: %s: wanted %s; found %s (%s)",
					c.File, c.Line, c.Request, m.Field, m.Wanted, m.Found, m.Rule)
			}
		})
	}
}
