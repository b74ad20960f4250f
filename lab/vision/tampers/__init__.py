"""Ways to disguise a copied picture."""
