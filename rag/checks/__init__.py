"""What looks at a store or at old answers and says whether all is well."""
