// The exporter that one would write in Go: client_golang's gauges with the same series, and its
// own handler. Usage: main SERIES.jsonl; it prints the port that it listens on.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"sort"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

type series struct {
	Name   string            `json:"name"`
	Labels map[string]string `json:"labels"`
	Value  float64           `json:"value"`
}

func main() {
	file, err := os.Open(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	families := map[string]*prometheus.GaugeVec{}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var one series
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
			log.Fatal(err)
		}
		family, known := families[one.Name]
		if !known {
			names := make([]string, 0, len(one.Labels))
			for name := range one.Labels {
				names = append(names, name)
			}
			sort.Strings(names)
			options := prometheus.GaugeOpts{Name: one.Name, Help: "The same series."}
			family = prometheus.NewGaugeVec(options, names)
			prometheus.MustRegister(family)
			families[one.Name] = family
		}
		family.With(one.Labels).Set(one.Value)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	http.Handle("/metrics", promhttp.Handler())
	log.Fatal(http.Serve(listener, nil))
}
