package model

// Pruned is how much was deleted since it is older than visits are kept.
type Pruned struct {
	Visits   int
	Events   int
	Visitors int // of whom nothing else is kept
}

// Add adds what was deleted elsewhere.
func (p *Pruned) Add(other Pruned) {
	p.Visits += other.Visits
	p.Events += other.Events
	p.Visitors += other.Visitors
}
