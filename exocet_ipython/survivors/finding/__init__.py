"""Finding: what lives of retired generations, who holds it, and by which expression a person reaches it."""
